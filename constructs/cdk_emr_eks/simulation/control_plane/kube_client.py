"""Clients of the plane's API server: the official Python client, as the admin or as another."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from kubernetes import client
from kubernetes.client import rest
from urllib3 import HTTPHeaderDict

from cdk_emr_eks.simulation.control_plane.process import NotReady

__all__ = ["answers", "api_client"]

_CONNECTIONS = 32
# Threads that share a client must not wait for one another.


class _ImpersonatingRest(rest.RESTClientObject):
    """Adds the headers of impersonation: a header for each group, which a dict cannot hold."""

    def __init__(
        self, configuration: client.Configuration, user: str, groups: Sequence[str]
    ) -> None:
        super().__init__(configuration)
        self._user = user
        self._groups = groups

    def request(
        self,
        method: object,
        url: object,
        headers: dict[str, str] | None = None,
        body: object = None,
        post_params: object = None,
        _request_timeout: object = None,
    ) -> object:
        full = HTTPHeaderDict(headers or {})
        full["Impersonate-User"] = self._user
        for group in self._groups:
            full.add("Impersonate-Group", group)
        send = super().request
        return send(method, url, full, body, post_params, _request_timeout)  # type: ignore[no-untyped-call]


def api_client(
    *, server: str, authority: Path, token: str, user: str | None, groups: Sequence[str]
) -> client.ApiClient:
    """Return a client that acts with a token, in the name of a user where one is given.

    Raises:
        ValueError: If groups are given without a user.
    """
    if groups and user is None:
        raise ValueError("groups are those of a user: give as_user, too")
    configuration = client.Configuration()
    configuration.host = server
    configuration.ssl_ca_cert = str(authority)
    configuration.api_key = {"authorization": f"Bearer {token}"}
    configuration.connection_pool_maxsize = _CONNECTIONS
    # A proxy of the environment has no business between two processes of one machine.
    configuration.proxy = None
    made = client.ApiClient(configuration)
    if user is not None:
        made.rest_client = _ImpersonatingRest(configuration, user, tuple(groups))
    return made


def answers(url: str, authority: Path | None = None) -> Callable[[], None]:
    """Return a check that a URL answers with success.

    Args:
        url: Such as that of a health endpoint.
        authority: Certificate that a server with TLS must have been given its own by.
    """
    context = ssl.create_default_context(cafile=str(authority)) if authority else None
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if context is not None:
        handlers.append(urllib.request.HTTPSHandler(context=context))
    opener = urllib.request.build_opener(*handlers)

    def check() -> None:
        try:
            with opener.open(url, timeout=5):
                return
        except (OSError, urllib.error.HTTPError) as error:
            raise NotReady(url) from error

    return check
