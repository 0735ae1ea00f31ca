"""A page to its digits."""
