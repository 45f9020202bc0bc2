"""The past comes in: an old register's file, read by a map, becomes history of the record."""
