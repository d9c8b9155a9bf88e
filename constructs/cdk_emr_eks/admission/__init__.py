"""Admission policies on the cluster."""
