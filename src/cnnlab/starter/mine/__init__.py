"""This project's own code. Its name is what `allowed_packages=` lets configurations call."""
