"""Release records: what is kept of every proved Bento, outside of it."""
