"""Ports for a control plane's programs."""

from __future__ import annotations

import random
import socket
from itertools import islice
from typing import Final

_PORTS: Final = range(20_000, 32_768)
# Below what Linux, macOS and Windows give to connections by themselves. Source:
# https://docs.kernel.org/networking/ip-sysctl.html#ip-variables (ip_local_port_range)


def free_ports(count: int) -> tuple[int, ...]:
    """Return different free TCP ports of the loopback interface, none that connections may take.

    Minutes may pass until a program binds its port, and one that was killed binds it again: by then
    the system would have given it to a connection.
    """
    shuffled = random.sample(_PORTS, len(_PORTS))
    return tuple(islice(filter(_free, shuffled), count))


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
