"""Two runs compared, as text and markdown."""
