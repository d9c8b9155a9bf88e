"""What Karpenter and the scheduler are told: nodes, and the pods for them."""
