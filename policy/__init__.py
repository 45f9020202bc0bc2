"""The rules: a regulation as data, and the case under it. Pure: no database, time or language."""
