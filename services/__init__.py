"""The deeds of people, one function each. Takes a session and `now`; flushes, never commits."""
