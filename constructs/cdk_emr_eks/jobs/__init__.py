"""Job templates of tenants."""
