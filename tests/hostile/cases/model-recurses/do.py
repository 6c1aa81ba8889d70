def down(): down()
down()
