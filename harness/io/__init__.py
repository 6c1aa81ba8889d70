"""Disk and network: where things are kept, hashes, strict YAML, servers that may be away."""
