"""The IAM policies that CloudFormation needs to deploy an app, and no more than that.

``cdk bootstrap --cloudformation-execution-policies`` takes managed policies. These ones, made from
the templates of a cloud assembly, replace ``AdministratorAccess``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cdk_emr_eks.assembly import Assembly, Stack, StackKind
from cdk_emr_eks.assembly.stack import Environment
from cdk_emr_eks.deploy_policy.documents import ArnGrant, Document, write_documents
from cdk_emr_eks.deploy_policy.environment import EnvironmentRights
from cdk_emr_eks.deploy_policy.extra import ExtraRights
from cdk_emr_eks.deploy_policy.rights import grants_for, is_known

FILE_NAME: Final = "cloudformation-execution-policy"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeployPolicy:
    """The policy for the stacks of one account and Region.

    Args:
        environment: Account and Region; each is empty if the stacks do not name it.
        documents: Policy documents, each of a size that a managed policy can have.
        unknown_types: Types of resources without rights: CloudFormation publishes no permissions of
            their handlers.
    """

    environment: Environment
    documents: tuple[Document, ...]
    unknown_types: tuple[str, ...] = ()


def deploy_policies(
    assembly: Assembly, *, extra: ExtraRights | None = None
) -> tuple[DeployPolicy, ...]:
    """Return a policy for each account and Region of an assembly.

    Args:
        assembly: The opened assembly. Resources of nested stacks are included. Those of a Service
            Catalog product are not, since the user who launches the product deploys them.
        extra: IAM statements by type of resource, in addition to the rights that are known; see
            ``read_extra``.
    """
    environments: dict[Environment, list[Stack]] = {}
    for stack in assembly.stacks:
        if not _is_product(stack):
            environments.setdefault(stack.environment, []).append(stack)
    return tuple(
        _policy(environment, EnvironmentRights(stacks, assembly), extra or {})
        for environment, stacks in sorted(environments.items(), key=lambda item: str(item[0]))
    )


def policy_files(policies: Sequence[DeployPolicy]) -> dict[str, Document]:
    """Return the documents by file name. The name has account and Region if there are several."""
    found: dict[str, Document] = {}
    for policy in policies:
        account = policy.environment.account or "any-account"
        region = policy.environment.region or "any-region"
        name = f"{FILE_NAME}-{account}-{region}" if len(policies) > 1 else FILE_NAME
        for number, document in enumerate(policy.documents, start=1):
            suffix = f"-{number}" if len(policy.documents) > 1 else ""
            found[f"{name}{suffix}.json"] = document
    return found


def write_policies(policies: Sequence[DeployPolicy], folder: Path) -> tuple[Path, ...]:
    """Write the documents into a folder, in place of those of an earlier call.

    Args:
        policies: The result of ``deploy_policies``.
        folder: Usually the folder of the assembly.

    Returns:
        The files, each at most 6,144 characters without white space.
    """
    for old in folder.glob(f"{FILE_NAME}*.json"):
        old.unlink()
    for name, document in policy_files(policies).items():
        (folder / name).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return tuple(folder / name for name in policy_files(policies))


def unknown_types(policies: Iterable[DeployPolicy]) -> tuple[str, ...]:
    """Return the types of resources for which no rights are known, sorted."""
    return tuple(sorted({kind for policy in policies for kind in policy.unknown_types}))


def _policy(
    environment: Environment, rights: EnvironmentRights, extra: ExtraRights
) -> DeployPolicy:
    kinds = {each.kind for each in rights.resources if not each.is_custom}
    return DeployPolicy(
        environment=environment,
        documents=write_documents([*_grants(rights, extra), *rights.shared()]),
        unknown_types=tuple(sorted(kind for kind in kinds - set(extra) if not is_known(kind))),
    )


def _grants(rights: EnvironmentRights, extra: ExtraRights) -> Iterator[ArnGrant]:
    for resource in rights.resources:
        known = grants_for(resource.kind, resource.properties)
        for grant in (*known, *extra.get(resource.kind, ())):
            yield rights.fill_in(resource, grant)


def _is_product(stack: Stack) -> bool:
    return stack.kind is StackKind.PRODUCT or (
        stack.parent is not None and _is_product(stack.parent.stack)
    )
