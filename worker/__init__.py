"""The worker: everything that happens without a click."""
