"""Report the results of a simulation: findings, table, JSON, HTML page."""
