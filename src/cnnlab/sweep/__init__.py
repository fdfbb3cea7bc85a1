"""Sweeps: which cells they have, and what is chosen before they are compared."""
