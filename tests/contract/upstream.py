"""What AWS and Karpenter publish, as typed values for tests; see README.md for the sources."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

_DATA: Final = Path(__file__).parent / "data"


@cache
def _read(name: str) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], json.loads((_DATA / name).read_text()))


def karpenter_resources() -> Mapping[str, Mapping[str, Any]]:
    """Return the resources of the template that Karpenter's guide has users deploy."""
    return cast(
        Mapping[str, Mapping[str, Any]], _read("karpenter_cloudformation.json")["resources"]
    )


def controller_statements(
    cluster_name: str, *, node_role: str, queue: str
) -> Mapping[str, Mapping[str, Any]]:
    """Return the statements of the six controller policies by Sid.

    Pseudo parameters stay as ``${AWS::Region}``.

    Args:
        cluster_name: Put in place of the template's parameter.
        node_role: Put in place of the node role's ARN.
        queue: Put in place of the queue's ARN.
    """
    names = {
        "ClusterName": cluster_name,
        "KarpenterNodeRole.Arn": node_role,
        "KarpenterInterruptionQueue.Arn": queue,
    }
    found: dict[str, Mapping[str, Any]] = {}
    for resource in karpenter_resources().values():
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            text = cast(str, resource["Properties"]["PolicyDocument"]["Fn::Sub"])
            text = re.sub(r"\$\{([^}]+)\}", lambda m: names.get(m[1], m[0]), text)
            for statement in json.loads(text)["Statement"]:
                found[statement["Sid"]] = statement
    return found


def node_role_policies() -> frozenset[str]:
    """Return the names of the AWS managed policies of the nodes' role."""
    arns = karpenter_resources()["KarpenterNodeRole"]["Properties"]["ManagedPolicyArns"]
    return frozenset(arn["Fn::Sub"].rpartition("/")[2] for arn in arns)


def interruption_queue() -> Mapping[str, Any]:
    """Return the properties of the interruption queue."""
    return cast(
        Mapping[str, Any], karpenter_resources()["KarpenterInterruptionQueue"]["Properties"]
    )


def interruption_queue_statements() -> tuple[Mapping[str, Any], ...]:
    """Return the statements of the interruption queue's policy."""
    policy = karpenter_resources()["KarpenterInterruptionQueuePolicy"]["Properties"]
    return tuple(policy["PolicyDocument"]["Statement"])


def event_patterns() -> frozenset[tuple[str, str]]:
    """Return the (source, detail-type) pairs whose events go to the interruption queue."""
    return frozenset(
        (source, detail)
        for resource in karpenter_resources().values()
        if resource["Type"] == "AWS::Events::Rule"
        for source in resource["Properties"]["EventPattern"]["source"]
        for detail in resource["Properties"]["EventPattern"]["detail-type"]
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class RbacRule:
    """One rule of a Kubernetes Role."""

    api_groups: frozenset[str]
    resources: frozenset[str]
    verbs: frozenset[str]


def emr_rbac_rules() -> tuple[RbacRule, ...]:
    """Return the rules of the Role ``emr-containers`` in a virtual cluster's namespace."""
    return tuple(
        RbacRule(
            api_groups=frozenset(rule["apiGroups"]),
            resources=frozenset(rule["resources"]),
            verbs=frozenset(rule["verbs"]),
        )
        for rule in _read("emr_rbac.json")["rules"]
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class PodTemplateRules:
    """What EMR allows and reserves in a pod template.

    Attributes:
        top_fields: Allowed at the top of the manifest.
        pod_fields: Allowed in ``spec``.
        main_container_fields: Allowed in the Spark container.
        main_containers: Its name, by role.
        reserved_volumes: Names of EMR's own volumes.
        reserved_mounts: Paths in the Spark container that no mount may overlap.
        reserved_environment: Names of EMR's own variables.
    """

    top_fields: frozenset[str]
    pod_fields: frozenset[str]
    main_container_fields: frozenset[str]
    main_containers: Mapping[str, str]
    reserved_volumes: frozenset[str]
    reserved_mounts: frozenset[str]
    reserved_environment: frozenset[str]


def pod_template_rules() -> PodTemplateRules:
    """Return EMR's rules for pod templates."""
    data = _read("emr_pod_templates.json")
    return PodTemplateRules(
        top_fields=frozenset(data["top_fields"]),
        pod_fields=frozenset(data["pod_fields"]),
        main_container_fields=frozenset(data["main_container_fields"]),
        main_containers=cast(Mapping[str, str], data["main_containers"]),
        reserved_volumes=frozenset(data["reserved_volumes"]),
        reserved_mounts=frozenset(data["reserved_mounts"]),
        reserved_environment=frozenset(data["reserved_environment"]),
    )


def base36_vectors() -> Mapping[str, str]:
    """Return the base36 text by role name."""
    return cast(Mapping[str, str], _read("base36.json")["vectors"])


def studio() -> Mapping[str, Any]:
    """Return what EMR's guide says of a Studio's roles, key and security groups."""
    return _read("emr_studio.json")
