"""The policies that CloudFormation needs to deploy an assembly, and the tables they come from."""

from cdk_emr_eks.deploy_policy.policy import (
    MAX_POLICY_CHARACTERS,
    deploy_policies,
    write_deploy_policy,
)

__all__ = ["MAX_POLICY_CHARACTERS", "deploy_policies", "write_deploy_policy"]
