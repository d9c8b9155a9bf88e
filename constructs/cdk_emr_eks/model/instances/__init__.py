"""EC2 instance types, and how many Spark pods fit on them."""
