"""The programs of a control plane: built once from pinned Go modules, kept in the user's cache."""
