"""How the files of an EMR Studio's workspaces are kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types

_PREFIX: Final = re.compile(r"[\w.-]+(/[\w.-]+)*", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkspaceStorage:
    """The S3 location that a Studio backs its workspaces up to.

    Args:
        prefix: Folder in the bucket, without slashes at its ends. None: the whole bucket.
        keep: Whether a bucket and key made here outlive the stack. On by default: they hold what
            people wrote, and without its key a kept bucket could not be read. If off,
            CloudFormation still refuses to delete a bucket that is not empty.
        keep_old_versions: How long S3 keeps what was overwritten or deleted, in whole days; for a
            bucket that is made here.

    Raises:
        ConfigError: If the prefix is no plain folder, or the time is no whole number of days.
    """

    prefix: str | None = None
    keep: bool = True
    keep_old_versions: timedelta = timedelta(days=30)

    def __post_init__(self) -> None:
        check_types("WorkspaceStorage", self)
        problems = Problems("WorkspaceStorage")
        if self.prefix is not None:
            rule = "must be a folder such as 'studio/workspaces' (letters, digits, _ . - /)"
            fits = _PREFIX.fullmatch(self.prefix) is not None
            fix = f"try {self.prefix.strip('/')!r}" if self.prefix.strip("/") else ""
            problems.require(fits, "prefix", rule, self.prefix, fix)
        days = self.keep_old_versions
        rule = "must be one or more whole days"
        fits = days >= timedelta(days=1) and not days % timedelta(days=1)
        problems.require(fits, "keep_old_versions", rule, str(days))
        problems.raise_if_any()
