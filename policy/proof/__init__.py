"""Proof that a regulation is right: its check, every state, case files, coverage, what-if."""
