"""One watch of each collection, for all that want to know of it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable

from cdk_emr_eks.simulation.control_plane.kube_api import Kind, KubeApi, Object

Listener = Callable[[Kind, Object], None]


class Feed:
    """Tells listeners what changes in the cluster, in the order in which it does.

    Args:
        api: The API server.
    """

    def __init__(self, api: KubeApi) -> None:
        self._api = api
        self._listeners: dict[str, list[Listener]] = defaultdict(list)

    def listen(self, path: str, listener: Listener) -> None:
        """Call ``listener`` with each object of a collection, and with each change of one."""
        self._listeners[path].append(listener)

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            for path, listeners in self._listeners.items():
                group.create_task(self._follow(path, listeners))

    async def _follow(self, path: str, listeners: list[Listener]) -> None:
        async for kind, item in self._api.watch(path):
            for listener in listeners:
                listener(kind, item)
