"""Asynchronous client of the Kubernetes API: plain dicts, concurrent calls, watches.

The official client converts each object to Python objects, which takes about a millisecond of CPU
each. With tens of thousands of pods, that takes longer than the cluster does.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Final, Self

import aiohttp

from cdk_emr_eks.assembly.paths import mapping, sequence, text
from cdk_emr_eks.simulation.control_plane.kube_types import (
    EventType,
    ImpersonatedUser,
    Object,
    RefusedError,
)

_CONNECTIONS: Final = 48
_WATCH_SECONDS: Final = 240
_PAGE: Final = 500
_RETRIES: Final = 60
_TLS_END_SECONDS: Final = 0.25


class KubeApi:
    """Requests of an administrator, or of a user that it impersonates.

    An async context manager. A request is repeated for about a minute while the API server does
    not answer, since scenarios stop the API server on purpose.

    Args:
        server: URL of the API server.
        token: Token of an administrator.
        ca_bundle: PEM text of the authority that signed the server's certificate. None: the
            certificate is not verified, which is safe only for a server on the loopback.
    """

    def __init__(self, server: str, token: str, ca_bundle: str | None = None) -> None:
        self._server = server
        self._token = token
        self._tls = ssl.create_default_context(cadata=ca_bundle)
        if ca_bundle is None:
            self._tls.check_hostname = False
            self._tls.verify_mode = ssl.CERT_NONE
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # Enough for concurrent requests and for watches, which hold their connections.
        connector = aiohttp.TCPConnector(ssl=self._tls, limit=_CONNECTIONS)
        self._session = aiohttp.ClientSession(
            self._server,
            connector=connector,
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=aiohttp.ClientTimeout(total=60),
            read_bufsize=1 << 20,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session:
            await self._session.close()
            # TLS connections end after close() has returned: aiohttp's documentation says to wait.
            await asyncio.sleep(_TLS_END_SECONDS)

    async def get(self, path: str) -> Object:
        """Return one object.

        Raises:
            RefusedError: If the API server refuses, for example if the object does not exist.
        """
        return await self._call("GET", path)

    async def create(
        self, path: str, content: Object, *, identity: ImpersonatedUser | None = None
    ) -> Object:
        """Create an object and return it as admitted.

        Raises:
            RefusedError: If admission or authorization refuses it.
        """
        return await self._call("POST", path, content, identity=identity)

    async def patch(
        self, path: str, content: object, *, media: str = "application/merge-patch+json"
    ) -> Object:
        """Patch an object, with a merge patch unless ``media`` names another type.

        Raises:
            RefusedError: If the API server refuses.
        """
        return await self._call("PATCH", path, content, media=media)

    async def delete(
        self,
        path: str,
        *,
        identity: ImpersonatedUser | None = None,
        selector: str = "",
        grace_seconds: int | None = None,
    ) -> None:
        """Delete an object, or all of a collection that a label selector chooses.

        An object that does not exist counts as deleted.

        Raises:
            RefusedError: If the API server refuses.
        """
        options: dict[str, object] = {"propagationPolicy": "Background"}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        query = {"labelSelector": selector} if selector else {}
        try:
            await self._call("DELETE", path, options, identity=identity, query=query)
        except RefusedError as refused:
            if not refused.is_not_found:
                raise

    async def list(self, path: str, selector: str = "") -> tuple[list[Object], str]:
        """Return the objects of a collection, and the resource version to watch from."""
        query = {"limit": str(_PAGE), **({"labelSelector": selector} if selector else {})}
        items: list[Object] = []
        while True:
            page = await self._call("GET", path, query=query)
            items += [mapping(item) for item in sequence(page.get("items"))]
            metadata = mapping(page["metadata"])
            if not metadata.get("continue"):
                return items, str(metadata["resourceVersion"])
            query["continue"] = str(metadata["continue"])

    async def watch(self, path: str, selector: str = "") -> AsyncIterator[tuple[EventType, Object]]:
        """Yield existing objects as ``ADDED``, then every change, without end.

        When the connection breaks or the server's history is gone, the collection is listed again.
        Objects that disappeared meanwhile are yielded as ``DELETED``, in their last known state.
        """
        seen: dict[str, Object] = {}
        while True:
            items, version = await self.list(path, selector)
            now = {_uid(item): item for item in items}
            for uid in [uid for uid in seen if uid not in now]:
                yield "DELETED", seen.pop(uid)
            for uid, item in now.items():
                yield ("MODIFIED" if uid in seen else "ADDED"), item
            seen = now
            async for kind, item in self._stream(path, selector, version):
                if kind == "DELETED":
                    seen.pop(_uid(item), None)
                else:
                    seen[_uid(item)] = item
                yield kind, item

    async def _stream(
        self, path: str, selector: str, version: str
    ) -> AsyncIterator[tuple[EventType, Object]]:
        """Yield changes until the server's history is gone, or the server does not answer."""
        while True:
            query = {"watch": "1", "resourceVersion": version, "allowWatchBookmarks": "true"}
            query |= {"timeoutSeconds": str(_WATCH_SECONDS)}
            query |= {"labelSelector": selector} if selector else {}
            try:
                async with self._http.get(
                    path, params=query, timeout=aiohttp.ClientTimeout(total=_WATCH_SECONDS + 30)
                ) as response:
                    if response.status != 200:
                        return
                    async for line in response.content:
                        event = json.loads(line)
                        item = event["object"]
                        if event["type"] == "ERROR":
                            return
                        version = item["metadata"]["resourceVersion"]
                        if event["type"] != "BOOKMARK":
                            yield event["type"], item
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(0.5)
                return

    async def _call(
        self,
        method: str,
        path: str,
        content: object = None,
        *,
        identity: ImpersonatedUser | None = None,
        query: Mapping[str, str] | None = None,
        media: str = "application/json",
    ) -> Object:
        headers = [("Content-Type", media), *(identity.headers if identity else [])]
        body = None if content is None else json.dumps(content, default=dict)
        for attempt in range(_RETRIES):
            try:
                async with self._http.request(
                    method, path, data=body, headers=headers, params=query
                ) as response:
                    answer = await response.read()
                    if response.status in (429, 503):
                        await asyncio.sleep(min(0.2 * 2**attempt, 2))
                        continue
                    return _read(response.status, answer)
            except (aiohttp.ClientConnectionError, TimeoutError):
                await asyncio.sleep(1)
        raise RefusedError(0, "Unreachable", f"the API server at {self._server} does not answer")

    @property
    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("KubeApi is an async context manager: use it with 'async with'")
        return self._session


def _uid(item: Object) -> str:
    return text(item, "metadata", "uid")


def _read(status: int, answer: bytes) -> Object:
    try:
        content = json.loads(answer)
    except ValueError:
        content = {"message": answer.decode(errors="replace"), "reason": "Unreadable"}
    if status >= 400:
        raise RefusedError(status, str(content.get("reason")), str(content.get("message")))
    return content if isinstance(content, Mapping) else {}
