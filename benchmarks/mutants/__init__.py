"""Whether tests notice: one-token changes of the values' code, each run against unit tests."""
