"""Observe the cluster during a scenario."""
