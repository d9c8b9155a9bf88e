"""A job's first choice of a zone, by its id: jobs of many tenants spread as those of one do.

Kubernetes spreads the pods of one namespace. Forty tenants with one job each are forty namespaces
in which every zone is as good as another, and Karpenter then takes the first pool that it comes to,
in one zone for nearly all of them. A job's id is as random as a draw, so it draws the zone. It is a
preference: the spread within a namespace goes before it, and so does a node that is there already.

Source: https://karpenter.sh/docs/concepts/scheduling/#preferences
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.admission.mutation import cel, mutation

_ID: Final = f"object.metadata.labels['{labels.JOB_ID}']"
_DIGITS: Final = "'0123456789abcdefghijklmnopqrstuvwxyz'"
_DRAWN: Final = "drawn"

HAS_ID: Final = (
    f"object.metadata.?labels[?'{labels.JOB_ID}'].orValue('').matches('[0-9a-z][0-9a-z]$')"
)
"""Whether a pod has a job's id to draw by, in CEL."""


TO_DRAWN_ZONE: Final = cel(
    {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {
                "weight": 100,
                "preference": {
                    "matchExpressions": [{"key": labels.ZONE, "operator": "In", "values": [_DRAWN]}]
                },
            }
        ]
    }
).replace(f'"{_DRAWN}"', f"variables.{_DRAWN}")
"""The node affinity that prefers the drawn zone, in CEL with the variable of ``draw``."""


def draw(zones: Sequence[str]) -> Mapping[str, str]:
    """Return the variable that is the zone which a job's id draws, in CEL.

    Two digits of 36 values are as often 0, 1 or 2 modulo three, and nearly so modulo four or five.

    Args:
        zones: Names of the zones, at least one.
    """
    digits = (f"{_DIGITS}.indexOf({_ID}.charAt({_ID}.size() - {place}))" for place in (1, 2))
    names = ", ".join(f"'{zone}'" for zone in zones)
    return {_DRAWN: f"[{names}][({' + '.join(digits)}) % {len(zones)}]"}


def driver_zone(zones: Sequence[str]) -> tuple[dict[str, object], dict[str, object]]:
    """Return the policy that lets drivers prefer the zone that their job draws, and its binding.

    Args:
        zones: Names of the zones, at least one.
    """
    patch = (
        "[has(object.spec.affinity) "
        f"? JSONPatch{{op: 'add', path: '/spec/affinity/nodeAffinity', value: {TO_DRAWN_ZONE}}} "
        ": JSONPatch{op: 'add', path: '/spec/affinity', "
        f"value: {{'nodeAffinity': dyn({TO_DRAWN_ZONE})}}}}]"
    )
    conditions = {
        "a-driver": f"object.metadata.labels[?'{labels.SPARK_ROLE}'].orValue('') "
        f"== '{SparkRole.DRIVER}'",
        "of-a-job": HAS_ID,
        "without-node-affinity": "!has(object.spec.affinity) "
        "|| !has(object.spec.affinity.nodeAffinity)",
    }
    return mutation("emr-eks-driver-zone", conditions, patch, variables=draw(zones))
