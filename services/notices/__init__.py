"""Notices to people: who is told what, once each, and what became of it."""
