"""X."""

family = "whisper"
