"""Pod templates of Spark drivers and executors."""
