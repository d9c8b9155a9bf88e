"""A platform in an existing VPC, on subnets that the network team chose."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from cdk_emr_eks import EmrEksCluster, ExistingNetwork, Platform, Tenant

app = cdk.App()
stack = cdk.Stack(
    app, "DataPlatform", env=cdk.Environment(account="111122223333", region="eu-west-1")
)

# In a real app: ec2.Vpc.from_lookup(stack, "Vpc", vpc_name="shared").
vpc = ec2.Vpc.from_vpc_attributes(
    stack,
    "Vpc",
    vpc_id="vpc-0a1b2c3d4e5f60718",
    availability_zones=["eu-west-1a", "eu-west-1b", "eu-west-1c"],
    private_subnet_ids=[
        "subnet-0a1b2c3d4e5f60001",
        "subnet-0a1b2c3d4e5f60002",
        "subnet-0a1b2c3d4e5f60003",
    ],
    private_subnet_names=["Nodes"],
    private_subnet_route_table_ids=[
        "rtb-0a1b2c3d4e5f60001",
        "rtb-0a1b2c3d4e5f60002",
        "rtb-0a1b2c3d4e5f60003",
    ],
)
nodes = ec2.SubnetSelection(subnet_group_name="Nodes")
admin = iam.Role.from_role_name(stack, "Admin", "platform-admin")
cluster = EmrEksCluster(
    stack,
    "EmrEksCluster",
    platform=Platform(network=ExistingNetwork(vpc=vpc, node_subnets=nodes), admins=(admin,)),
)
cluster.add_tenant(Tenant(name="analytics"))
app.synth()
