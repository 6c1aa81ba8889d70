"""`python -m harness.worker`: the child process."""

from harness.worker.server import main

if __name__ == "__main__":
    main()
