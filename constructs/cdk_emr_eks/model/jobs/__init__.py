"""Job configurations and job templates of EMR on EKS."""
