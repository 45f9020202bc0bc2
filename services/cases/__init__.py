"""The deeds of people on a case; every change passes the journal."""
