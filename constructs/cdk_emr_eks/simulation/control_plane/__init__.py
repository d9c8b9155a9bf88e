"""A Kubernetes control plane on this machine: its processes and its clients."""
