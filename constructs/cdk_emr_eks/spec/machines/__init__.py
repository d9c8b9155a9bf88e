"""EC2 instances, and what fits on them."""
