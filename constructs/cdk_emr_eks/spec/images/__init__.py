"""Container images: EMR's, and those of one's own."""
