"""Namespaces of tenants: their bounds and their walls."""
