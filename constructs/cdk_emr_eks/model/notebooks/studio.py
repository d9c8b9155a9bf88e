"""What one EMR Studio is: its name, how people sign in, and what its workspaces may do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types, hold_mappings
from cdk_emr_eks.model.notebooks.git_access import GitAccess
from cdk_emr_eks.model.notebooks.studio_auth import IamAuth, IdentityCenterAuth, StudioAuth
from cdk_emr_eks.model.notebooks.workspace_storage import WorkspaceStorage

MAX_SUBNETS: Final = 5
"""Subnets that a Studio may have.

Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-considerations.html
"""
_TEXT_LIMIT: Final = 256
_NAME: Final = re.compile(rf"[a-zA-Z0-9_-]{{1,{_TEXT_LIMIT}}}")
_TAG_KEY: Final = re.compile(r"(?!aws:)[a-zA-Z+-=._:/]{1,128}")
_TAG_VALUE: Final = re.compile(r"[a-zA-Z+-=._:/ ]{1,256}")
# Source: the resource schema of AWS::EMR::Studio,
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-emr-studio.html
_RULES: Final = range(2, 1001)
# Source: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html


@dataclass(frozen=True, kw_only=True, slots=True)
class StudioSpec:
    """An EMR Studio: a place for people to write and run notebooks.

    Args:
        name: Name of the Studio: 1 to 256 letters, digits, hyphens and underscores.
        auth: How people sign in. It can't be changed later without a new Studio.
        description: For people; at most 256 characters.
        git: Lets workspaces link Git repositories; True stands for ``GitAccess()``. Off by default:
            then workspaces reach nothing but the endpoints that they are connected to.
        storage: How the workspaces' files are kept.
        collaboration: Whether the service role may look up the people with whom a workspace is
            shared. EMR has no collaboration with trusted identity propagation.
        emr_on_eks: Whether workspaces use endpoints of EMR on EKS. EMR refuses that in a Studio
            with trusted identity propagation, so that such a Studio must say False here.
        tags: Tags of the Studio, beside those of its scope.
        rules_per_security_group: The account's quota of outbound rules for a security group; 60
            unless it was raised. Each connected endpoint takes one.

    Raises:
        ConfigError: If a name, text or tag is none that EMR takes, or trusted identity propagation
            is asked for together with EMR on EKS.

    Example:
        >>> StudioSpec(name="research", git=True).git_access.destinations
        ('0.0.0.0/0',)
    """

    name: str
    auth: StudioAuth = field(default_factory=IamAuth)
    description: str = ""
    git: GitAccess | bool = False
    storage: WorkspaceStorage = field(default_factory=WorkspaceStorage)
    collaboration: bool = True
    emr_on_eks: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)
    rules_per_security_group: int = 60

    def __post_init__(self) -> None:
        where = f"Studio {self.name!r}"
        check_types(where, self)
        hold_mappings(self)
        problems = Problems(where)
        rule = f"must be 1 to {_TEXT_LIMIT} letters, digits, '-' or '_'"
        problem_free = _NAME.fullmatch(self.name) is not None
        proposal = re.sub(r"[^a-zA-Z0-9_-]+", "-", self.name)[:_TEXT_LIMIT].strip("-")
        fix = f"try {proposal!r}" if proposal else ""
        problems.require(problem_free, "name", rule, self.name, fix)
        rule = f"must have at most {_TEXT_LIMIT} characters"
        fits = len(self.description) <= _TEXT_LIMIT
        problems.require(fits, "description", rule, len(self.description))
        self._check_propagation(problems)
        self._check_tags(problems)
        rules = self.rules_per_security_group
        rule = f"must be {_RULES.start} to {_RULES.stop - 1}"
        problems.require(rules in _RULES, "rules_per_security_group", rule, rules)
        problems.raise_if_any()

    @property
    def git_access(self) -> GitAccess | None:
        """What workspaces may reach of Git, or None without Git."""
        if isinstance(self.git, GitAccess):
            return self.git
        return GitAccess() if self.git else None

    @property
    def propagates_identity(self) -> bool:
        """Whether the Studio has trusted identity propagation."""
        auth = self.auth
        return isinstance(auth, IdentityCenterAuth) and auth.trusted_identity_propagation

    @property
    def collaborates(self) -> bool:
        """Whether people can share workspaces: asked for, and possible."""
        return self.collaboration and not self.propagates_identity

    def _check_propagation(self, problems: Problems) -> None:
        rule = (
            "must be False with trusted identity propagation: EMR attaches no EMR on EKS cluster "
            "to such a Studio"
        )
        fix = "set IdentityCenterAuth(trusted_identity_propagation=False)"
        holds = not (self.emr_on_eks and self.propagates_identity)
        problems.require(holds, "emr_on_eks", rule, self.emr_on_eks, fix)

    def _check_tags(self, problems: Problems) -> None:
        for key, value in self.tags.items():
            rule = "must have keys of 1 to 128 letters, digits, + - = . _ : / that are not 'aws:…'"
            problems.require(_TAG_KEY.fullmatch(key) is not None, "tags", rule, key)
            rule = (
                f"must have 1 to {_TEXT_LIMIT} letters, digits, blanks, + - = . _ : / for {key!r}"
            )
            problems.require(_TAG_VALUE.fullmatch(value) is not None, "tags", rule, value)
