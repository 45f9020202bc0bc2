"""Terms: where they end, what starts them, and what becomes of them."""
