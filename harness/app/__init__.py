"""The doors: the command line, the Python API, progress. Only these print."""
