"""What workspaces of an EMR Studio may reach of Git, and whose credentials they use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_network
from typing import Final

from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.tokens import has_token

EVERYWHERE: Final = "0.0.0.0/0"
_PREFIX_LIST: Final = re.compile(r"pl-[0-9a-f]{8,17}")


class GitSecrets(StrEnum):
    """Who reads the secrets that hold the credentials of Git repositories.

    Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-user-permissions.html
    """

    NONE = "none"
    """Nobody: repositories that need no credentials."""
    USER = "user"
    """Each person the secrets they made themselves: EMR's recommendation."""
    SERVICE = "service"
    """The Studio's service role, for everybody: each secret with EMR's tag."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GitAccess:
    """Lets the workspaces of a Studio link Git repositories, over HTTPS.

    Args:
        destinations: Where the repositories are: IPv4 or IPv6 blocks, or ids of managed prefix
            lists (``pl-…``, which may be tokens). Everywhere by default, as EMR documents: the
            public Git services publish no short and steady list.
        secrets: Who reads the repositories' credentials.

    Raises:
        ConfigError: If there is no destination, or one is neither a block nor a prefix list.

    Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-security-groups.html
    """

    destinations: tuple[str, ...] = (EVERYWHERE,)
    secrets: GitSecrets = GitSecrets.USER

    def __post_init__(self) -> None:
        check_types("GitAccess", self)
        problems = Problems("GitAccess")
        problems.require(bool(self.destinations), "destinations", "must not be empty")
        unique = len(set(self.destinations)) == len(self.destinations)
        problems.require(unique, "destinations", "must not repeat", self.destinations)
        for each in self.destinations:
            rule = "must be address blocks such as '140.82.112.0/20', or prefix lists 'pl-…'"
            problems.require(_is_destination(each), "destinations", rule, each, _fix(each))
        problems.raise_if_any()


def is_prefix_list(destination: str) -> bool:
    """Tell a managed prefix list from an address block."""
    return has_token(destination) or _PREFIX_LIST.fullmatch(destination) is not None


def _is_destination(text: str) -> bool:
    if is_prefix_list(text):
        return True
    try:
        ip_network(text)
    except ValueError:
        return False
    return "/" in text


def _fix(text: str) -> str:
    try:
        return f"try {str(ip_network(text, strict=False))!r}"
    except ValueError:
        return ""
