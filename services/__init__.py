"""What people do: one function per deed. Takes a session and `now`; flushes, never commits."""
