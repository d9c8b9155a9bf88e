"""Simulate jobs as EMR on EKS submits them."""
