"""Jobs of EMR on EKS: their configuration and their templates."""
