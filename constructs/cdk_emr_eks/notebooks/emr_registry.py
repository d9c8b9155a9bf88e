"""EMR's image registry of a Region."""

from __future__ import annotations

from typing import Final, cast

from aws_cdk import Aws, CfnMapping, Stack, Token

from cdk_emr_eks.errors import refuse
from cdk_emr_eks.model.images.emr_images import EMR_ACCOUNTS

_ACCOUNTS: Final = "EmrRegistryAccounts"


def emr_registry(where: str, stack: Stack) -> str:
    """Return the host of EMR's registry in a stack's Region. It has Livy's chart and image.

    If the Region is not known at synth, CloudFormation looks up the account of the registry.

    Args:
        where: The construct that needs the registry, for errors.
        stack: The stack.

    Raises:
        ConfigError: If EMR has no registry in the Region.
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
