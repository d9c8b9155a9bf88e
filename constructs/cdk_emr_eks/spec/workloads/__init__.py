"""Workloads: kinds of Spark jobs, and all that follows from a kind."""
