"""Jobs declared beside the tenants that run them."""
