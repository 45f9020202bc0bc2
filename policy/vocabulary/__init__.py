"""The vocabulary of every regulation: events, statuses, errors, working time."""
