"""Tenants and their parts: namespaces, virtual clusters, execution roles."""
