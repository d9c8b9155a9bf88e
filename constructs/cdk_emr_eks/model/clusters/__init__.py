"""Options of an EKS cluster and of the mirror for its add-ons."""
