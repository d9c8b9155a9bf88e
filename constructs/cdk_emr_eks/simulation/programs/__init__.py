"""Build the programs of the simulation from pinned Go modules, into the user's cache."""
