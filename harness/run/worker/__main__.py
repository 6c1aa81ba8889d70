"""`python -m harness.run.worker`: the child process."""

from harness.run.worker.server import main

if __name__ == "__main__":
    main()
