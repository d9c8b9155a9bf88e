"""The platform's network: a VPC, its subnets, ways out of it, and its logs."""
