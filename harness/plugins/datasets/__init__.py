"""Data sets, one file each: `source = Source(Params, load)`."""
