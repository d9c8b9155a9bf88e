"""DaemonSets of EKS's add-ons, as the API server and Karpenter count them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from cdk_emr_eks.assembly.paths import mapping
from cdk_emr_eks.model.instances.instances import DAEMONSET_REQUESTS, DaemonSetRequest

# Where an add-on's configuration has the resources of each container, if it does.
_RESOURCES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "vpc-cni": {
        "aws-node": ("resources",),
        "aws-eks-nodeagent": ("nodeAgent", "resources"),
    },
    "kube-proxy": {"kube-proxy": ("resources",)},
    "aws-ebs-csi-driver": dict.fromkeys(
        ("ebs-plugin", "node-driver-registrar", "liveness-probe"), ("node", "resources")
    ),
    "eks-pod-identity-agent": {"eks-pod-identity-agent": ("resources",)},
}


def daemon_sets(addon: str, configuration: str) -> tuple[Mapping[str, object], ...]:
    """Return the DaemonSets of an add-on; none for one whose pods run on system nodes only.

    Requests are those of the add-on's configuration in the template, and where that is silent those
    of ``model.instances.instances``.
    """
    values = mapping(json.loads(configuration or "{}"))
    return tuple(_daemon_set(each, values) for each in DAEMONSET_REQUESTS if each.addon == addon)


def _daemon_set(request: DaemonSetRequest, values: Mapping[str, object]) -> Mapping[str, object]:
    labels = {"app.kubernetes.io/name": request.addon}
    containers = [
        {
            "name": container,
            "image": request.addon,
            "resources": {"requests": _requests(request, container, values)},
        }
        for container in request.containers
    ]
    pod = {
        "priorityClassName": "system-node-critical",
        "tolerations": [{"operator": "Exists"}],
        "hostNetwork": True,
        "containers": containers,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": request.addon, "namespace": "kube-system", "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def _requests(
    request: DaemonSetRequest, container: str, values: Mapping[str, object]
) -> dict[str, str]:
    found: Mapping[str, object] = values
    for key in _RESOURCES.get(request.addon, {}).get(container, ("resources",)):
        found = mapping(found.get(key))
    stated = mapping(found.get("requests"))
    default = {"cpu": request.cpu.kubernetes, "memory": request.memory.kubernetes}
    return {name: str(stated.get(name, amount)) for name, amount in default.items()}
