"""Tenants of an assembly: namespaces with their quotas, virtual clusters and execution roles."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.plan.assembly import StackFile
from cdk_emr_eks.plan.intrinsics import intrinsic, mapping, sequence
from cdk_emr_eks.plan.model import RolePlan, TenantPlan
from cdk_emr_eks.plan.objects import Applied, ClusterObject

# EMR's service accounts, as the trust of an IRSA role names them; Livy's sessions have no plural.
_ACCOUNTS: Final = ("emr-containers-sa-", "emr-container-sa-")
_SUBJECT: Final = re.compile(r"system:serviceaccount:(?P<namespace>[a-z0-9-]+):emr-containers?-sa-")
_CDK_JSON: Final = "Custom::AWSCDKCfnJson"


def tenant_plans(stacks: Iterable[StackFile], applied: Applied) -> tuple[TenantPlan, ...]:
    """Read the tenants of all stacks, in the order of the stacks.

    A tenant's parts stand in one stack. So a namespace of the same name in another stack (another
    cluster's, or another stage's) is another tenant.
    """
    return tuple(tenant for stack in stacks for tenant in _of_stack(stack, applied))


def _of_stack(stack: StackFile, applied: Applied) -> list[TenantPlan]:
    objects = [item for item in applied.objects if item.stack == stack.name]
    names: dict[str, str] = {
        item.name: str(item.labels[labels.TENANT])
        for item in objects
        if item.kind == "Namespace" and labels.TENANT in item.labels
    }
    clusters = _virtual_clusters(stack)
    for namespace in clusters:
        names.setdefault(namespace, namespace)
    quotas: dict[str, dict[str, str]] = defaultdict(dict)
    for item in objects:
        if item.kind == "ResourceQuota":
            hard, scope = mapping(item.spec.get("hard")), _scope(item)
            quotas[item.namespace] |= {scope + key: str(value) for key, value in hard.items()}
    roles = _roles(stack)
    return [
        TenantPlan(
            stack=stack.name,
            name=name,
            namespace=namespace,
            virtual_clusters=tuple(clusters.get(namespace, ())),
            quota=quotas.get(namespace, {}),
            roles=tuple(
                RolePlan(name=role, access=" + ".join(sorted(access)))
                for role, access in roles.get(namespace, {}).items()
            ),
        )
        for namespace, name in names.items()
    ]


def _scope(quota: ClusterObject) -> str:
    """Return what a quota is for, such as ``shared-driver``, to be told before its limits."""
    terms = sequence(mapping(quota.spec.get("scopeSelector")).get("matchExpressions"))
    values = [str(value) for term in terms for value in sequence(mapping(term).get("values"))]
    return f"{', '.join(values)}: " if values else ""


def _virtual_clusters(stack: StackFile) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for _, properties in stack.resources("AWS::EMRContainers::VirtualCluster"):
        info = mapping(mapping(properties.get("ContainerProvider")).get("Info"))
        namespace = stack.intrinsics.text(mapping(info.get("EksInfo")).get("Namespace"))
        found[namespace].append(stack.intrinsics.text(properties.get("Name")))
    return found


def _roles(stack: StackFile) -> dict[str, dict[str, set[str]]]:
    """Return, for each namespace, the execution roles and how pods get them."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for _, properties in stack.resources("AWS::EKS::PodIdentityAssociation"):
        account = stack.intrinsics.text(properties.get("ServiceAccount"))
        if account.startswith(_ACCOUNTS):
            namespace = stack.intrinsics.text(properties.get("Namespace"))
            found[namespace][_role_name(stack, properties.get("RoleArn"))].add("Pod Identity")
    for logical_id, properties in stack.resources("AWS::IAM::Role"):
        name = stack.intrinsics.text(properties.get("RoleName")) or logical_id
        for match in _SUBJECT.finditer(_trust(stack, properties.get("AssumeRolePolicyDocument"))):
            found[match["namespace"]][name].add("IRSA")
    return found


def _role_name(stack: StackFile, arn: object) -> str:
    function = intrinsic(arn)
    if function and function[0] == "Fn::GetAtt":
        logical_id = str(next(iter(sequence(function[1])), ""))
        for candidate, properties in stack.resources("AWS::IAM::Role"):
            if candidate == logical_id:
                return stack.intrinsics.text(properties.get("RoleName")) or logical_id
    return stack.intrinsics.text(arn).rpartition("/")[2]


def _trust(stack: StackFile, document: object) -> str:
    """Return a trust policy as text; a condition whose key is a token hides in a CfnJson."""
    text = stack.intrinsics.text(document)
    for logical_id, properties in stack.resources(_CDK_JSON):
        value = stack.intrinsics.text(properties.get("Value"))
        text = text.replace(f"${{{logical_id}.Value}}", value)
    return text
