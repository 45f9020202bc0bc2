"""The merge of the tab of open cases: what people typed in it, and what is written into it."""
