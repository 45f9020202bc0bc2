"""Pages of notices and their channels."""
