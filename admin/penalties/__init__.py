"""Pages of penalties and the list of a wage month."""
