"""Studies: what became of their cells, and what they say."""
