"""`python -m harness`: the command line."""

from harness.app.cli import entry

if __name__ == "__main__":
    entry()
