"""The departments' workbooks in the record: layout, state, looks, problems and undoing."""
