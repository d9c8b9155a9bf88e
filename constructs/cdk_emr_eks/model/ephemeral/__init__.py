"""A namespace for each job run: its objects and its state machines."""
