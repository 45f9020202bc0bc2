"""What the worker and the doors share: requests for slow work, and leases."""
