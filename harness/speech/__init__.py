"""Sound and words: encoded audio, mel filters, phonemes, the rules by which texts are compared."""
