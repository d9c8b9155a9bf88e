"""What network policies allow, by the rules that Kubernetes documents for them.

A pod is isolated in a direction if a policy of its namespace selects it for that direction. Then
only the traffic that one of these policies allows can pass. Both ends must allow a connection. A
CIDR block includes pods, as in the VPC CNI. The evaluator refuses to read unknown fields.

Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any, Final

Object = Mapping[str, Any]
_NAME: Final = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class Place:
    """One end of a connection: a pod, or without a namespace any other address."""

    ip: str
    namespace: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Service:
    """A Service and its address, which the VPC CNI sees at the sender's interface."""

    ip: str
    namespace: str
    selector: Mapping[str, str]
    port: int
    backends: Sequence[Place]


class Judge:
    """Decides which connections some policies allow."""

    def __init__(self, policies: Iterable[Object]) -> None:
        self._policies = list(policies)
        for policy in self._policies:
            _only(policy, "apiVersion", "kind", "metadata", "spec")
            _only(policy["spec"], "podSelector", "policyTypes", "ingress", "egress")
            assert (policy["apiVersion"], policy["kind"]) == (
                "networking.k8s.io/v1",
                "NetworkPolicy",
            )

    def connects(self, source: Place, target: Place, port: int, protocol: str = "TCP") -> bool:
        """Whether a connection passes at both ends."""
        return self.leaves(source, target, port, protocol) and self.enters(
            source, target, port, protocol
        )

    def leaves(self, source: Place, target: Place, port: int, protocol: str = "TCP") -> bool:
        """Whether a connection may leave its sender."""
        return self._passes("Egress", "to", source, target, port, protocol)

    def enters(self, source: Place, target: Place, port: int, protocol: str = "TCP") -> bool:
        """Whether a connection may enter its receiver."""
        return self._passes("Ingress", "from", target, source, port, protocol)

    def reaches(self, source: Place, service: Service, protocol: str = "TCP") -> bool:
        """Whether a pod reaches a Service by its address, as the VPC CNI decides it.

        The sender's side sees the Service: allowed by a block that holds its address, or by a rule
        for pods whose selector fits the Service's own. The receiver's side sees the pods.
        """
        stand_in = Place(service.ip, service.namespace, service.selector)
        return self.leaves(source, stand_in, service.port, protocol) and any(
            self.enters(source, pod, service.port, protocol) for pod in service.backends
        )

    def _passes(
        self, kind: str, side: str, own: Place, other: Place, port: int, protocol: str
    ) -> bool:
        bound = [
            policy["spec"]
            for policy in self._policies
            if own.namespace == policy["metadata"]["namespace"]
            and kind in policy["spec"]["policyTypes"]
            and _selects(policy["spec"]["podSelector"], own.labels)
        ]
        rules = [rule for spec in bound for rule in spec.get(kind.lower(), [])]
        return not bound or any(_allows(rule, side, own, other, port, protocol) for rule in rules)


def _allows(rule: Object, side: str, own: Place, other: Place, port: int, protocol: str) -> bool:
    _only(rule, side, "ports")
    for each in rule.get("ports", []):
        _only(each, "port", "protocol")
    ports = [(each.get("protocol", "TCP"), each["port"]) for each in rule.get("ports", [])]
    if ports and (protocol, port) not in ports:
        return False
    peers = rule.get(side, [])
    return not peers or any(_is(peer, str(own.namespace), other) for peer in peers)


def _is(peer: Object, own_namespace: str, other: Place) -> bool:
    _only(peer, "ipBlock", "namespaceSelector", "podSelector")
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        _only(block, "cidr", "except")
        return _in(other.ip, block["cidr"]) and not any(
            _in(other.ip, each) for each in block.get("except", [])
        )
    if other.namespace is None:
        return False
    if "namespaceSelector" in peer:
        fits = _selects(peer["namespaceSelector"], {_NAME: other.namespace})
    else:
        fits = other.namespace == own_namespace
    return fits and _selects(peer.get("podSelector", {}), other.labels)


def _selects(selector: Object, labels: Mapping[str, str]) -> bool:
    _only(selector, "matchLabels")
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def _in(address: str, block: str) -> bool:
    return ip_address(address) in ip_network(block)


def _only(part: Object, *known: str) -> None:
    assert set(part) <= set(known), f"not known: {set(part) - set(known)}"
