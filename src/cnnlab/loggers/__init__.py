"""Where curves go. Each `create` is a context: it gives a Lightning logger and closes it, whatever happens."""
