"""cfn-lint over a synthesized template."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from cfnlint.api import ManualArgs, lint  # type: ignore[import-untyped]

# The schemas of one Region are enough: the templates name no resource type that a Region lacks.
REGION: Final = "us-east-1"


@cache
def lint_findings(template: str, accepted: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Return what cfn-lint finds, one sentence each, once for each distinct template.

    Args:
        template: Text of the template.
        accepted: Rules that are not applied; give the reason for each where this is called.
    """
    options = ManualArgs(regions=[REGION], ignore_checks=sorted(accepted))
    return tuple(
        f"{'/'.join(map(str, match.path or []))}: {match.rule.id}: {match.message}"
        for match in lint(template, config=options)
    )


def lint_all(templates: Mapping[str, str], accepted: Mapping[str, str]) -> tuple[str, ...]:
    """Lint several templates.

    Args:
        templates: Text by name.
        accepted: Reason by rule that is not applied.
    """
    return tuple(
        f"{name}: {finding}"
        for name, text in templates.items()
        for finding in lint_findings(text, frozenset(accepted))
    )
