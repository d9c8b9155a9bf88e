"""Where a platform runs: cluster, network, zones."""
