"""A namespace for each job: what it is, and the state machines that make and remove it."""
