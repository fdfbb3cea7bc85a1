"""Measurements: what cnnlab does, against what one would have without it."""
