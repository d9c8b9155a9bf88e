"""Ports that a program may bind at once or minutes later."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from cdk_emr_eks.simulation.control_plane import ports
from cdk_emr_eks.simulation.control_plane.ports import free_ports


def test_ports_are_free_differ_and_are_none_of_those_of_connections() -> None:
    found = free_ports(20)
    assert len(set(found)) == 20
    lowest = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first = int(lowest.read_text().split()[0]) if lowest.exists() else 49_152
    assert all(1024 < port < first for port in found)
    with ExitStack() as stack:
        for port in found:
            stack.enter_context(socket.socket()).bind(("127.0.0.1", port))


def test_a_port_that_is_taken_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = free_ports(2)
    monkeypatch.setattr(ports, "_PORTS", (first, second))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first))
        assert free_ports(2) == (second,)
