"""What users begin with: whole platforms, which wire all other parts together."""
