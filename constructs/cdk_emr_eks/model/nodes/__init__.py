"""Karpenter's node pools, node classes and capacity buffers."""
