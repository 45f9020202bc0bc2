"""People of the company: employees, posts, accounts, and who acts."""
