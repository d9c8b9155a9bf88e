"""Tenants: virtual clusters, quotas and roles of one namespace each."""
