"""Judges of synthesised speech, one file each: `judge = Judge(Params, version, about, open)`."""
