"""Pages of departments, employees, posts, deputies and accounts."""
