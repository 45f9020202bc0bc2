"""The engine: one pure function that moves a case under a pack, and its parts."""
