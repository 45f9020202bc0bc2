"""The departments' workbooks in the record: their layout, state and problems."""
