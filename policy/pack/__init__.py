"""A regulation as data: its schema, and how a pack is loaded, compared and numbered."""
