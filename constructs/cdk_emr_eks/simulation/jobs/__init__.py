"""Jobs as EMR on EKS submits them."""
