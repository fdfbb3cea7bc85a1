"""What Lightning does not have."""
