"""What persons find and decide about penalties, and what follows from it for the others."""
