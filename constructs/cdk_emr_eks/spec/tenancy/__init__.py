"""Tenants, and what EMR knows of them."""
