"""The working calendar of the company and its changes."""
