"""Custom images for jobs and for the kernels of notebooks."""
