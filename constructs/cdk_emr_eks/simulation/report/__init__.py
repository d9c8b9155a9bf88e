"""What a simulation found: in words, as a table, as JSON, as a page."""
