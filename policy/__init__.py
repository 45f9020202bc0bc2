"""What a regulation says: pure, without database, clock or language."""
