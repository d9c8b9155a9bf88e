"""Permissions of Spark jobs: execution roles, data access, secrets, encryption."""
