"""What every page shares: lists, fields, filters, forms, rights, menu, login, headers."""
