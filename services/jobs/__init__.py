"""Jobs: requests for slow work, from pages and commands to the worker, and the worker's leases."""
