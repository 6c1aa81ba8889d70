"""Own."""
def down(): down()
down()
