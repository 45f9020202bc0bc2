"""One look at a workbook: read, merge, do, write. Knows no file format."""
