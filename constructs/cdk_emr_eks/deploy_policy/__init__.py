"""The policies that CloudFormation needs to deploy the stacks of a cloud assembly.

- ``policy``: ``deploy_policies`` returns them, ``write_policies`` writes them as files.
- ``rights``: actions for a resource: the handlers' published ones (``handlers.json``, renewed by
  ``make refresh-handlers``), narrowed by the table in ``narrowing``.
- ``environment``: ARNs that the resources of an account and Region share, and the parameters and
  secrets that their templates read.
- ``extra``: rights that a user adds.
"""

from cdk_emr_eks.deploy_policy.extra import extra_rights, read_extra
from cdk_emr_eks.deploy_policy.policy import (
    DeployPolicy,
    deploy_policies,
    policy_files,
    unknown_types,
    write_policies,
)

__all__ = [
    "DeployPolicy",
    "deploy_policies",
    "extra_rights",
    "policy_files",
    "read_extra",
    "unknown_types",
    "write_policies",
]
