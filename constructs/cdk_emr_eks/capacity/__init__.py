"""What pods run on: node pools, and the pod templates that lead to them."""
