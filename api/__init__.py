"""The API: pages for other programs."""
