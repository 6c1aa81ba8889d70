"""Metrics, one file each: `metric = Metric(...)`."""
