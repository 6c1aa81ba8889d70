"""Figures of the report, one file each: `figure = Figure(title, draw)`."""
