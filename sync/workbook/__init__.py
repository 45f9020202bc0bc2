"""A workbook file (.xlsx) in a shared folder. Knows no complaint."""
