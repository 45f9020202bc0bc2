"""Pages of regulations: versions, drafts, what the company says, play and what-if."""
