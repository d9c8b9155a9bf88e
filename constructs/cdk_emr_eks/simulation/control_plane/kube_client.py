"""The official Kubernetes client, as administrator or as an impersonated user."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from kubernetes import client
from kubernetes.client import rest
from urllib3 import HTTPHeaderDict

from cdk_emr_eks.simulation.control_plane.kube_types import ImpersonatedUser
from cdk_emr_eks.simulation.control_plane.process import NotReady

__all__ = ["answers", "api_client"]

# Threads that share a client do not wait for each other.
_CONNECTIONS = 32


class _ImpersonatingRest(rest.RESTClientObject):
    """Adds the headers of impersonation. A dict cannot hold a header for each group."""

    def __init__(self, configuration: client.Configuration, user: ImpersonatedUser) -> None:
        super().__init__(configuration)
        self._user = user

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
        for name, value in self._user.headers:
            full.add(name, value)
        send = super().request
        return send(method, url, full, body, post_params, _request_timeout)  # type: ignore[no-untyped-call]


def api_client(
    *, server: str, authority: Path, token: str, user: str | None, groups: Sequence[str]
) -> client.ApiClient:
    """Return a client with a token, which impersonates a user if one is given.

    Raises:
        ValueError: If groups are given without a user.
    """
    if groups and user is None:
        raise ValueError("groups need a user: pass as_user, too")
    configuration = client.Configuration()
    configuration.host = server
    configuration.ssl_ca_cert = str(authority)
    configuration.api_key = {"authorization": f"Bearer {token}"}
    configuration.connection_pool_maxsize = _CONNECTIONS
    # Two processes of one machine need no proxy of the environment.
    configuration.proxy = None
    api = client.ApiClient(configuration)
    if user is not None:
        api.rest_client = _ImpersonatingRest(
            configuration, ImpersonatedUser(user=user, groups=tuple(groups))
        )
    return api


def answers(url: str, authority: Path | None = None) -> Callable[[], None]:
    """Return a check that raises ``NotReady`` until a URL answers with success.

    Args:
        url: URL, such as that of a health endpoint.
        authority: Certificate of the authority that signed the server's certificate.
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
