"""A Kubernetes control plane on this machine: its processes, and how they are asked."""
