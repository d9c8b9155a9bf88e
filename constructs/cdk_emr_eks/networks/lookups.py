"""The two runs of an app with look-ups: with placeholders, then with the values of the account."""

from __future__ import annotations

from typing import Final

from aws_cdk import aws_ec2 as ec2

# Id of the VPC that ``Vpc.from_lookup`` returns before the look-up (DUMMY_VPC_PROPS in
# https://github.com/aws/aws-cdk/blob/main/packages/aws-cdk-lib/aws-ec2/lib/vpc.ts, 2026-11).
_PLACEHOLDER_VPC: Final = "vpc-12345"


def is_placeholder(vpc: ec2.IVpc) -> bool:
    """Return whether a VPC stands for one that the CDK has not looked up yet.

    Its subnets have other groups than the VPC's, so rules about subnets do not apply. The first run
    of the app must succeed, so that the CDK's command line can look the VPC up.
    """
    return vpc.vpc_id == _PLACEHOLDER_VPC
