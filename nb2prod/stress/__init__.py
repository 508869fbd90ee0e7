"""A built service under what production does to requests: missing and unseen values, typing errors, shifts, age, many callers."""
