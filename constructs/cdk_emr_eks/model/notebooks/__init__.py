"""EMR Studio, managed endpoints, Spark Connect, Livy, and notebook users."""
