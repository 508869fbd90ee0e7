"""A release gets its callers in stages: what is planned, what was seen, what is decided of it, and what is done then."""
