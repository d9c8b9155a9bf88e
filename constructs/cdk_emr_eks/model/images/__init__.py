"""Container images: those of EMR and custom ones."""
