"""Create and delete Kubernetes objects by the requests of ``kubectl create`` and ``delete``.

The kubectl handler of the CDK creates the objects of a manifest with ``kubectl create
--save-config`` (or applies them, with ``Overwrite``), and deletes them with ``kubectl delete``. The
same requests are sent here: one POST for each object, with strict validation of fields. An object
that exists and a field that Kubernetes does not know therefore fail as in AWS. Server-side apply
would accept an object that exists.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from kubernetes import client

from cdk_emr_eks.assembly.paths import mapping, sequence

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_WARNING: Final = re.compile(r'299 - "((?:[^"\\]|\\.)*)"')
_EXISTS: Final = 409
_GONE: Final = 404
_REFUSED: Final = 400
_POLL_SECONDS: Final = 0.5


class UnknownKindError(LookupError):
    """The API server does not serve this kind; its CRD is missing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Created:
    """Result of creating objects.

    Args:
        refused: Objects that the API server refused, and why.
        unknown: Objects of kinds that it does not serve.
        warnings: Warnings of the API server.
    """

    refused: tuple[str, ...]
    unknown: tuple[str, ...]
    warnings: tuple[str, ...]


class Objects:
    """Creates and deletes objects of any kind.

    Args:
        api: Client of the API server.
    """

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api
        self._kinds: dict[str, dict[str, tuple[str, bool]]] = {}

    def create(
        self, objects: Iterable[Mapping[str, object]], *, overwrite: bool, validate: bool
    ) -> Created:
        """Create objects in order. As with kubectl, a refused object does not stop the others.

        Args:
            objects: The objects.
            overwrite: Patch an object that exists.
            validate: Refuse fields that Kubernetes does not know.
        """
        refused: list[str] = []
        unknown: list[str] = []
        warnings: list[str] = []
        for item in objects:
            name = describe(item)
            try:
                warned = self._create(item, overwrite, "Strict" if validate else "Ignore")
            except client.ApiException as error:
                refused.append(f"{name}: {reason(error)}")
            except UnknownKindError as error:
                unknown.append(f"{name}: {error}")
            else:
                warnings += (f"{name}: {text}" for text in warned)
        return Created(refused=tuple(refused), unknown=tuple(unknown), warnings=tuple(warnings))

    def delete(self, objects: Iterable[Mapping[str, object]], seconds: float) -> tuple[str, ...]:
        """Delete objects and wait until they are gone; return those that remain, and why."""
        end = time.monotonic() + seconds
        left = list(objects)
        for item in left:
            self._delete(item)
        while True:
            left = [item for item in left if self.read(item) is not None]
            if not left or time.monotonic() > end:
                return tuple(self._remains(item) for item in left)
            time.sleep(_POLL_SECONDS)

    def read(self, item: Mapping[str, object]) -> Mapping[str, object] | None:
        """Return an object from the API server; None if it or its kind does not exist."""
        try:
            return self.request("GET", self._path(item, named=True))[0]
        except UnknownKindError:
            return None
        except client.ApiException as error:
            if error.status == _GONE:
                return None
            raise

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> tuple[Mapping[str, object], tuple[str, ...]]:
        """Send one request; return the response and the server's warnings.

        Raises:
            ApiException: If the server refuses.
        """
        media = "application/merge-patch+json" if method == "PATCH" else "application/json"
        serialized = self._api.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params={"Accept": "application/json", "Content-Type": media},
            body=None if body is None else dict(body),
            auth_settings=["BearerToken"],
        )
        response = self._api.call_api(*serialized)
        data = bytes(response.read()) or b"{}"  # type: ignore[no-untyped-call]
        if response.status >= _REFUSED:
            raise client.ApiException(
                status=response.status, reason=response.reason, body=data.decode()
            )
        warned = response.getheader("Warning")  # type: ignore[no-untyped-call]
        return json.loads(data), tuple(_WARNING.findall(warned or ""))

    def _create(self, item: Mapping[str, object], overwrite: bool, validation: str) -> list[str]:
        metadata = dict(mapping(item.get("metadata")))
        saved = json.dumps(item, separators=(",", ":"), sort_keys=True) + "\n"
        metadata["annotations"] = {**mapping(metadata.get("annotations")), LAST_APPLIED: saved}
        body = {**item, "metadata": metadata}
        query = {"fieldValidation": validation, "fieldManager": "kubectl-create"}
        try:
            return list(self.request("POST", self._path(item), query=query, body=body)[1])
        except client.ApiException as error:
            if error.status != _EXISTS or not overwrite:
                raise
        query["fieldManager"] = "kubectl-client-side-apply"
        path = self._path(item, named=True)
        return list(self.request("PATCH", path, query=query, body=body)[1])

    def _delete(self, item: Mapping[str, object]) -> None:
        try:
            path = self._path(item, named=True)
            self.request("DELETE", path, query={"propagationPolicy": "Background"})
        except UnknownKindError:
            return
        except client.ApiException as error:
            if error.status != _GONE:
                raise

    def _remains(self, item: Mapping[str, object]) -> str:
        finalizers = ", ".join(map(str, sequence(self.read(item), "metadata", "finalizers")))
        return f"{describe(item)} still exists" + (f" ({finalizers})" if finalizers else "")

    def _path(self, item: Mapping[str, object], *, named: bool = False) -> str:
        version, kind = str(item.get("apiVersion")), str(item.get("kind"))
        plural, namespaced = self._kind(version, kind)
        metadata = mapping(item.get("metadata"))
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if namespaced:
            root += f"/namespaces/{metadata.get('namespace') or 'default'}"
        return f"{root}/{plural}" + (f"/{metadata.get('name')}" if named else "")

    def _kind(self, version: str, kind: str) -> tuple[str, bool]:
        if kind not in self._kinds.get(version, {}):
            self._kinds[version] = self._discover(version)
        if kind not in self._kinds[version]:
            raise UnknownKindError(f"the API server has no {kind} of {version}")
        return self._kinds[version][kind]

    def _discover(self, version: str) -> dict[str, tuple[str, bool]]:
        root = "/apis" if "/" in version else "/api"
        try:
            answer, _ = self.request("GET", f"{root}/{version}")
        except client.ApiException as error:
            if error.status == _GONE:
                return {}
            raise
        served = map(mapping, sequence(answer, "resources"))
        return {
            str(each["kind"]): (str(each["name"]), bool(each["namespaced"]))
            for each in served
            if "/" not in str(each["name"])
        }


def describe(item: Mapping[str, object]) -> str:
    """Return kind, namespace and name of an object, as kubectl writes them."""
    metadata = mapping(item.get("metadata"))
    place = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{item.get('kind')} {place}{metadata.get('name')}"


def reason(error: client.ApiException) -> str:
    """Return the message of the API server for a refusal."""
    try:
        return str(json.loads(error.body or "{}").get("message") or error.reason)
    except ValueError:
        return str(error.reason)
