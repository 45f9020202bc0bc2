"""Pages of the departments' workbooks."""
