"""EMR's own image registry, one in each region."""

from __future__ import annotations

from typing import Final, cast

from aws_cdk import Aws, CfnMapping, Stack, Token

from cdk_emr_eks.errors import refuse
from cdk_emr_eks.model.images.emr_images import EMR_ACCOUNTS

_ACCOUNTS: Final = "EmrRegistryAccounts"


def emr_registry(where: str, stack: Stack) -> str:
    """Return the host of EMR's registry in a stack's region, which has Livy's chart and image.

    Where the region is not known before the deployment, CloudFormation looks the account up.

    Args:
        where: What needs it, for errors.
        stack: The stack.

    Raises:
        ConfigError: If EMR has none in the region.
    """
    region = stack.region
    if not Token.is_unresolved(region):
        if region not in EMR_ACCOUNTS:
            rule = f"must be one with a registry of EMR's ({', '.join(EMR_ACCOUNTS)})"
            raise refuse(where, "region", rule, region)
        account = EMR_ACCOUNTS[region]
    else:
        found = stack.node.try_find_child(_ACCOUNTS)
        table = cast(CfnMapping, found) if found else _table(stack)
        account = table.find_in_map(Aws.REGION, "Account")
    return f"{account}.dkr.ecr.{region}.{Aws.URL_SUFFIX}"


def _table(stack: Stack) -> CfnMapping:
    rows = {region: {"Account": account} for region, account in EMR_ACCOUNTS.items()}
    return CfnMapping(stack, _ACCOUNTS, mapping=rows)
