"""EMR Studio, managed endpoints, Livy, and notebook users."""
