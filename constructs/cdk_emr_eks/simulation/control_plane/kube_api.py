"""The Kubernetes API as the simulation uses it: plain dicts, many calls at once, watches.

The official client turns each object into Python objects, at about a millisecond of CPU each; with
tens of thousands of pods that alone would take longer than the cluster itself.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Literal, Self, TypeAlias

import aiohttp

from cdk_emr_eks.assembly.paths import mapping, sequence

Object: TypeAlias = Mapping[str, object]
Kind: TypeAlias = Literal["ADDED", "MODIFIED", "DELETED"]

PODS: Final = "/api/v1/pods"
NODES: Final = "/api/v1/nodes"
NODE_CLAIMS: Final = "/apis/karpenter.sh/v1/nodeclaims"
NODE_POOLS: Final = "/apis/karpenter.sh/v1/nodepools"
NODE_CLASSES: Final = "/apis/karpenter.k8s.aws/v1/ec2nodeclasses"
EVENTS: Final = "/api/v1/events"

_CONNECTIONS: Final = 48
_WATCH_SECONDS: Final = 240
_PAGE: Final = 500
_RETRIES: Final = 60
_TLS_END_SECONDS: Final = 0.25


class RefusedError(RuntimeError):
    """The API server said no.

    Attributes:
        status: HTTP status.
        reason: Kubernetes' reason, such as ``Forbidden``.
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(message)


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Whom the API server takes a call to be from.

    Args:
        user: User name.
        groups: Groups.
    """

    user: str
    groups: tuple[str, ...] = ()

    @classmethod
    def of_service_account(cls, namespace: str, name: str) -> Identity:
        """Return the identity that the API server gives a service account."""
        prefix = "system:serviceaccount"
        groups = (f"{prefix}s", f"{prefix}s:{namespace}", "system:authenticated")
        return cls(user=f"{prefix}:{namespace}:{name}", groups=groups)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Headers of impersonation."""
        return [("Impersonate-User", self.user)] + [("Impersonate-Group", g) for g in self.groups]


def namespaced(namespace: str, plural: str, name: str = "", *, group: str = "") -> str:
    """Return the path of objects of a namespace; ``group`` is as in ``batch/v1``."""
    root = f"/apis/{group}" if group else "/api/v1"
    return f"{root}/namespaces/{namespace}/{plural}" + (f"/{name}" if name else "")


class KubeApi:
    """Calls of one administrator, or of whom it impersonates.

    An async context manager. A call that finds the API server away is tried again for about a
    minute, since scenarios stop the API server on purpose.

    Args:
        server: URL of the API server.
        token: Token of an administrator.
        ca_bundle: PEM text of the authority that signed the server's certificate; None: the server
            is not verified, which only a server on the loopback may be.
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
        # Watches hold their connections for as long as they last, so they are not counted.
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
            # TLS connections end after close() has returned: aiohttp's own advice.
            await asyncio.sleep(_TLS_END_SECONDS)

    async def get(self, path: str) -> Object:
        """Return one object.

        Raises:
            RefusedError: If the API server refuses, as when there is none (404).
        """
        return await self._call("GET", path)

    async def create(
        self, path: str, content: Object, *, identity: Identity | None = None
    ) -> Object:
        """Create an object and return it as admitted.

        Raises:
            RefusedError: If admission or authorization refuses it.
        """
        return await self._call("POST", path, content, identity=identity)

    async def patch(
        self, path: str, content: object, *, media: str = "application/merge-patch+json"
    ) -> Object:
        """Patch an object, by a merge patch unless ``media`` names another kind.

        Raises:
            RefusedError: If the API server refuses.
        """
        return await self._call("PATCH", path, content, media=media)

    async def delete(
        self,
        path: str,
        *,
        identity: Identity | None = None,
        selector: str = "",
        grace_seconds: int | None = None,
    ) -> None:
        """Delete an object, or all of a collection that a label selector chooses.

        What is not there any more counts as deleted.

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
            if refused.status != 404:
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

    async def watch(self, path: str, selector: str = "") -> AsyncIterator[tuple[Kind, Object]]:
        """Yield what is there as ``ADDED``, then every change, for ever.

        When the connection breaks or history is gone, the collection is listed anew, and what
        vanished meanwhile is yielded as ``DELETED`` as it was last seen.
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
    ) -> AsyncIterator[tuple[Kind, Object]]:
        """Yield changes until the server's history is gone or it does not answer."""
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
        identity: Identity | None = None,
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
    return str(mapping(item["metadata"])["uid"])


def _read(status: int, answer: bytes) -> Object:
    try:
        content = json.loads(answer)
    except ValueError:
        content = {"message": answer.decode(errors="replace"), "reason": "Unreadable"}
    if status >= 400:
        raise RefusedError(status, str(content.get("reason")), str(content.get("message")))
    return content if isinstance(content, Mapping) else {}
