"""Kubernetes namespaces of tenants: labels, quotas, network policies."""
