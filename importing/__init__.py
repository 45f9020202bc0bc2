"""Import of the past: an old register's file, read by a map, becomes history of the record."""
