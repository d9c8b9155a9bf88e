"""Workloads: kinds of Spark jobs, with nodes, storage and priority."""
