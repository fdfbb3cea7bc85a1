"""Pictures of a trained network. Each is a module in pictures/, named as the user types it, with CHEAP and draw()."""
