"""What admission policies add to making a pod, on a real API server."""
