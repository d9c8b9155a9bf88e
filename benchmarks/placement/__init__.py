"""Where jobs land: rules of placement side by side, on the simulated control plane."""
