"""The EKS cluster, its add-ons and system nodes, and manifests of Kubernetes objects."""
