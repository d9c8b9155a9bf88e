"""Notebooks: Studios, endpoints, and the people who use them."""
