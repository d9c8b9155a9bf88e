"""Read tenants: namespaces with their quotas, virtual clusters and execution roles."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.assembly.objects import ClusterObject
from cdk_emr_eks.assembly.paths import at, mapping, sequence
from cdk_emr_eks.assembly.reader import Assembly
from cdk_emr_eks.assembly.stack import Stack
from cdk_emr_eks.plan.model import RolePlan, TenantPlan

# EMR's service accounts in the trust policy of an IRSA role. Livy's have a singular 'container'.
_ACCOUNTS: Final = ("emr-containers-sa-", "emr-container-sa-")
_SUBJECT: Final = re.compile(r"system:serviceaccount:(?P<namespace>[a-z0-9-]+):emr-containers?-sa-")
_CDK_JSON: Final = "Custom::AWSCDKCfnJson"

# A namespace of a cluster: key of the cluster, and name.
_Home = tuple[str, str]


def tenant_plans(assembly: Assembly) -> tuple[TenantPlan, ...]:
    """Read the tenants of all stacks, in the order of the stacks.

    The parts of a tenant are in one stack. A namespace of the same name in another stack, for
    example of another stage, is another tenant.
    """
    return tuple(tenant for stack in assembly.stacks for tenant in _of_stack(stack, assembly))


def _of_stack(stack: Stack, assembly: Assembly) -> list[TenantPlan]:
    objects = [item for item in assembly.applied.objects if item.stack == stack.name]
    names: dict[_Home, str] = {
        (item.cluster, item.name): str(item.labels[labels.TENANT])
        for item in objects
        if item.kind == "Namespace" and labels.TENANT in item.labels
    }
    clusters = _virtual_clusters(stack, assembly)
    for home in clusters:
        names.setdefault(home, home[1])
    quotas: dict[_Home, dict[str, str]] = defaultdict(dict)
    for item in objects:
        if item.kind == "ResourceQuota":
            scope, hard = _scope(item), mapping(item.spec, "hard")
            quotas[item.cluster, item.namespace] |= {
                scope + key: str(value) for key, value in hard.items()
            }
    roles = _roles(stack, assembly, list(names))
    return [
        TenantPlan(
            stack=stack.name,
            cluster=home[0],
            name=name,
            namespace=home[1],
            virtual_clusters=tuple(clusters.get(home, ())),
            quota=quotas.get(home, {}),
            roles=tuple(
                RolePlan(name=role, access=" + ".join(sorted(access)))
                for role, access in roles.get(home, {}).items()
            ),
        )
        for home, name in names.items()
    ]


def _scope(quota: ClusterObject) -> str:
    """Return the scope of a quota, such as ``shared-driver: ``, as the prefix of its limits."""
    terms = sequence(quota.spec, "scopeSelector", "matchExpressions")
    values = [str(value) for term in terms for value in sequence(term, "values")]
    return f"{', '.join(values)}: " if values else ""


def _virtual_clusters(stack: Stack, assembly: Assembly) -> dict[_Home, list[str]]:
    found: dict[_Home, list[str]] = defaultdict(list)
    for _, properties in stack.resources("AWS::EMRContainers::VirtualCluster"):
        provider = mapping(properties, "ContainerProvider")
        cluster = assembly.clusters.key(stack, provider.get("Id"))
        namespace = stack.text(at(provider, "Info", "EksInfo", "Namespace"))
        found[cluster, namespace].append(stack.text(properties.get("Name")))
    return found


def _roles(
    stack: Stack, assembly: Assembly, homes: list[_Home]
) -> dict[_Home, dict[str, set[str]]]:
    """Return the execution roles of each namespace, and how pods assume them."""
    found: dict[_Home, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for _, properties in stack.resources("AWS::EKS::PodIdentityAssociation"):
        account = stack.text(properties.get("ServiceAccount"))
        if account.startswith(_ACCOUNTS):
            cluster = assembly.clusters.key(stack, properties.get("ClusterName"))
            home = cluster, stack.text(properties.get("Namespace"))
            found[home][_role_name(stack, properties.get("RoleArn"), assembly)].add("Pod Identity")
    for logical_id, properties in stack.resources("AWS::IAM::Role"):
        name = stack.text(properties.get("RoleName")) or logical_id
        for namespace in _trusted_namespaces(stack, properties):
            for home in homes:
                if home[1] == namespace:
                    found[home][name].add("IRSA")
    return found


def _role_name(stack: Stack, arn: object, assembly: Assembly) -> str:
    for target in assembly.targets(stack, arn):
        if target.kind == "AWS::IAM::Role":
            return target.text("RoleName") or target.logical_id
    return stack.text(arn).rpartition("/")[2]


def _trusted_namespaces(stack: Stack, role: object) -> Iterator[str]:
    """Yield the namespaces whose EMR service accounts a role trusts."""
    trust = stack.text(at(role, "AssumeRolePolicyDocument"))
    # A condition whose key is a token is the value of a custom resource.
    for logical_id, properties in stack.resources(_CDK_JSON):
        value = stack.text(properties.get("Value"))
        trust = trust.replace(f"${{{logical_id}.Value}}", value)
    for match in _SUBJECT.finditer(trust):
        yield match["namespace"]
