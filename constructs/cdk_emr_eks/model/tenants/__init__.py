"""Tenants and their virtual clusters."""
