"""The VPC, its subnets, endpoints and flow logs."""
