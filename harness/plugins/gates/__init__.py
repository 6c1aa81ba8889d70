"""Gates, one file each, named after the YAML key that carries the limit: `gate = Gate(...)`."""
