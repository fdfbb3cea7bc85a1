"""The networks: one file a family, as its paper's figure reads."""
