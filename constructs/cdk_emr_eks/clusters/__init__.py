"""An EKS cluster, and the one door by which Kubernetes objects enter it."""
