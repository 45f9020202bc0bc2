"""Notices to people: made once each, sent on every way, and what became of them."""
