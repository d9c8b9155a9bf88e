"""Compare two cloud assemblies, and describe the effects of each difference."""
