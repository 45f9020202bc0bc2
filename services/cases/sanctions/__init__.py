"""What the sanctions of a case take from the company's records and from other cases."""
