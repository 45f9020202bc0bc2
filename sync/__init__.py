"""The sheet door: departments work in a spreadsheet that is mirrored both ways."""
