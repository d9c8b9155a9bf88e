"""Options of the VPC, and Availability Zones."""
