"""What a change means: two cloud assemblies compared, and what follows from each difference."""
