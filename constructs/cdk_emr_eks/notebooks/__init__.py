"""Notebooks: managed endpoints, EMR Studio, the people who use them."""
