"""Regulations in the record: versions, drafts, and what the company adds to them."""
