"""The machine door: what other programs ask Redress."""
