"""What people do with a case; every change passes the journal."""
