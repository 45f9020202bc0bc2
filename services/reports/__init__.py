"""What is read over many cases: ledgers, indicators, reports, what-if."""
