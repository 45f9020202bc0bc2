"""The workbook door: departments work in a workbook that is mirrored both ways."""
