"""The words every regulation shares: events, statuses, errors, working time."""
