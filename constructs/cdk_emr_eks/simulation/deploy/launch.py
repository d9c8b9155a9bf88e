"""Karpenter's container, as the Deployment of its chart has it on the API server."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from kubernetes.utils.quantity import parse_quantity

from cdk_emr_eks.assembly.paths import mapping, sequence
from cdk_emr_eks.simulation.control_plane.karpenter import KarpenterLaunch
from cdk_emr_eks.simulation.deploy.outcome import NotSimulatedError
from cdk_emr_eks.simulation.deploy.site import Site

KARPENTER: Final = "karpenter"


def karpenter_launch(site: Site, release: str, namespace: str) -> KarpenterLaunch:
    """Return how the chart starts Karpenter; the emulated account's address is added.

    Raises:
        NotSimulatedError: If the chart made no such Deployment, or its container takes a value from
            where the simulation has none.
    """
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    selector = f"app.kubernetes.io/instance={release},app.kubernetes.io/name={KARPENTER}"
    found, _ = site.objects.request("GET", path, query={"labelSelector": selector})
    deployments = [mapping(item) for item in sequence(found.get("items"))]
    if len(deployments) != 1:
        raise NotSimulatedError(f"the release {release} has {len(deployments)} Deployments, not 1")
    template = mapping(mapping(deployments[0].get("spec")).get("template"))
    pod = mapping(template.get("spec"))
    container = mapping(sequence(pod.get("containers"))[0])
    return KarpenterLaunch(
        args=tuple(str(each) for each in sequence(container.get("args"))),
        env={
            # In a pod it reads this from its service account's files.
            "LEADER_ELECTION_NAMESPACE": namespace,
            **dict(_environment(container, namespace)),
            **site.aws.environment,
        },
        service_account=(namespace, str(pod.get("serviceAccountName"))),
    )


def _environment(container: Mapping[str, object], namespace: str) -> Iterator[tuple[str, str]]:
    for variable in map(mapping, sequence(container.get("env"))):
        name = str(variable.get("name"))
        source = mapping(variable.get("valueFrom"))
        match source:
            case {"fieldRef": {"fieldPath": "metadata.namespace"}}:
                yield name, namespace
            case {"resourceFieldRef": Mapping() as field}:
                amount = _amount(container, mapping(field))
                if amount:
                    yield name, amount
            case {**rest} if rest:
                raise NotSimulatedError(f"Karpenter's {name} comes from {', '.join(rest)}")
            case _:
                yield name, str(variable.get("value") or "")


def _amount(container: Mapping[str, object], field: Mapping[str, object]) -> str:
    """Return a request or limit in units of the divisor; nothing where the chart sets none."""
    kind, _, resource = str(field.get("resource")).partition(".")
    amounts = mapping(mapping(container.get("resources")).get(kind))
    if resource not in amounts:
        return ""
    # The divisor 0 stands for 1; Kubernetes rounds up.
    amount, divisor = _number(amounts[resource]), _number(field.get("divisor") or "1")
    return str(math.ceil(amount / (divisor or 1)))


def _number(quantity: object) -> Decimal:
    return Decimal(parse_quantity(str(quantity)))  # type: ignore[no-untyped-call]
