"""Find the nodes that drift after a change of a node pool or node class, and their replacement.

Changes of a pool's weight, limits and disruption, and of a class's ``ipPrefixCount``, drift no
node. Karpenter compares requirements with the labels of each node, and selector terms with its
subnet, security groups and image. Every other change of a pool's template or of a class drifts all
nodes.

Source: https://karpenter.sh/docs/concepts/disruption/#drift, and ``Hash`` of NodePool and of
EC2NodeClass in
https://github.com/kubernetes-sigs/karpenter/blob/v1.14.0/pkg/apis/v1/nodepool.go and
https://github.com/aws/karpenter-provider-aws/blob/v1.14.0/pkg/apis/v1/ec2nodeclass.go, 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.assembly.objects import ClusterObject
from cdk_emr_eks.assembly.paths import at, mapping, sequence
from cdk_emr_eks.plan.pools import has_nodes

_SELECTED: Final = {
    "subnetSelectorTerms": "subnet",
    "securityGroupSelectorTerms": "security groups",
    "amiSelectorTerms": "image",
    "capacityReservationSelectorTerms": "capacity reservation",
}
_UNHASHED: Final = frozenset({*_SELECTED, "ipPrefixCount"})
_EXPIRY: Final = "720h"
_BUDGET: Final = {"nodes": "10%"}


def pool_drift(old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[str]:
    """Yield the effect of a changed NodePool on its nodes; nothing if no node drifts."""
    if not has_nodes(mapping(new, "spec")):
        return
    before, after = mapping(old, "spec", "template"), mapping(new, "spec", "template")
    if _hashed(before) != _hashed(after):
        which = "all"
    else:
        which = ", and ".join(_unmet(_requirements(before), _requirements(after)))
    if which:
        yield f"nodes drift ({which}): {_pace(old, new)}"


def class_drift(
    old: Mapping[str, object],
    new: Mapping[str, object],
    pools: Iterable[ClusterObject],
) -> Iterator[str]:
    """Yield the effect of a changed EC2NodeClass on the nodes of the pools that use it."""
    before, after = mapping(old, "spec"), mapping(new, "spec")
    differing = {key for key in {**before, **after} if before.get(key) != after.get(key)}
    if differing - _UNHASHED:
        which = "all"
    else:
        chosen = [_SELECTED[key] for key in _SELECTED if key in differing]
        which = f"those whose {' or '.join(chosen)} the terms no longer select" if chosen else ""
    name = at(new, "metadata", "name")
    if which:
        yield from paces(which, (pool for pool in pools if node_class(pool) == name))


def paces(which: str, pools: Iterable[ClusterObject]) -> Iterator[str]:
    """Yield how fast Karpenter replaces drifted nodes, once for all pools of one pace."""
    found: dict[str, list[str]] = {}
    for pool in pools:
        if has_nodes(pool.spec):
            names = found.setdefault(_pace(pool.content, pool.content), [])
            name = _called(pool)
            names.extend([] if name in names else [name])
    for pace, names in found.items():
        yield f"nodes of {', '.join(names)} drift ({which}): {pace}"


def node_class(pool: ClusterObject) -> object:
    """Return the name of the node class of a NodePool."""
    return at(pool.spec, "template", "spec", "nodeClassRef", "name")


def _called(pool: ClusterObject) -> str:
    """Return workload and role: pools of all zones and capacity types have one name."""
    found = mapping(pool.spec, "template", "metadata", "labels")
    workload, role = found.get(labels.WORKLOAD), found.get(labels.ROLE)
    return f"{workload}-{role}" if workload and role else pool.name


def _hashed(template: Mapping[str, object]) -> str:
    """Return the content of a pool's hash, in which the order of lists has no effect."""
    spec = mapping(template, "spec")
    kept = {key: _unordered(value) for key, value in spec.items() if key != "requirements"}
    return json.dumps({**template, "spec": kept}, sort_keys=True)


def _unordered(value: object) -> object:
    if isinstance(value, list):
        return sorted(json.dumps(item, sort_keys=True) for item in value)
    return value


def _requirements(template: Mapping[str, object]) -> list[Mapping[str, object]]:
    return [mapping(item) for item in sequence(template, "spec", "requirements")]


def _unmet(old: list[Mapping[str, object]], new: list[Mapping[str, object]]) -> Iterator[str]:
    """Yield the nodes that met the old requirements and may not meet the new ones."""
    for need in new:
        before = [each for each in old if each.get("key") == need.get("key")]
        rule = (need.get("operator"), need.get("values"))
        if any((each.get("operator"), each.get("values")) == rule for each in before):
            continue
        key = str(need.get("key")).rpartition("/")[2]
        allowed = sequence(need, "values")
        ins = [each for each in before if each.get("operator") == "In"]
        if need.get("operator") == "In" and ins:
            gone = [str(v) for v in sequence(ins[0], "values") if v not in allowed]
            if gone:
                yield f"those of {key} {', '.join(gone)}"
        else:
            yield f"those that do not meet the requirement of {key}"


def _pace(old: Mapping[str, object], new: Mapping[str, object]) -> str:
    """Return how Karpenter replaces drifted nodes, by the pool's budgets and grace period."""
    budgets = _budgets(new, "Drifted")
    always = [str(each.get("nodes")) for each in budgets if "schedule" not in each]
    nodes = mapping(old, "spec", "template", "spec")
    if "0" in always or "0%" in always:
        empty = [str(each.get("nodes")) for each in _budgets(new, "Empty")]
        expiry = str(nodes.get("expireAfter", _EXPIRY))
        ends = [] if {"0", "0%"} & set(empty) else ["when it is empty"]
        ends += [] if expiry == "Never" else [f"at the age of {expiry}"]
        return f"the drift budget is 0, so each node is deleted {' or '.join(ends) or 'manually'}"
    grace = nodes.get("terminationGracePeriod")
    most = f", at most {grace}" if grace else ""
    times = [
        f" ({each.get('nodes')} from {each['schedule']} for {each.get('duration')})"
        for each in budgets
        if "schedule" in each
    ]
    speed = f"at most {' and '.join(always)} of a pool at a time" if always else "all at once"
    return (
        f"Karpenter replaces {speed}{''.join(times)}; a node with do-not-disrupt pods, such as "
        f"drivers, stays until they end{most}; other pods are evicted"
    )


def _budgets(pool: Mapping[str, object], reason: str) -> list[Mapping[str, object]]:
    """Return the disruption budgets of a pool that apply to a reason."""
    disruption = mapping(pool, "spec", "disruption")
    budgets = [mapping(each) for each in sequence(disruption.get("budgets", [_BUDGET]))]
    return [
        each for each in budgets if reason in sequence(each, "reasons") or not each.get("reasons")
    ]
