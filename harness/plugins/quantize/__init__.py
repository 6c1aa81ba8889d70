"""Quantization methods, one file each: `method = Method(Params, apply)`."""
