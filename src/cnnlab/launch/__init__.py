"""How cells and their processes come to life."""
