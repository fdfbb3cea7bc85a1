"""Studies: which cells there are, what becomes of them, what they say."""
