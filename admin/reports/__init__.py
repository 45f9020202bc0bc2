"""Pages of ledgers, periodic reports, indicators and forms that stand alone."""
