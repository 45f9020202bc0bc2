"""Parsers of cells: what a person meant by what they typed."""
