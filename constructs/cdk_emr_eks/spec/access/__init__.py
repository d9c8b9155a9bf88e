"""What jobs may read and use, and how it is guarded."""
