"""How a case moves under a pack: one pure function and what it asks."""
