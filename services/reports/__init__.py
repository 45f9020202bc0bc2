"""Reading over many cases: ledgers, indicators, periodic reports, what-if."""
