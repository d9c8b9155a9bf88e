"""Notebooks: interactive endpoints, EMR Studio, the people who use them."""
