said = None
