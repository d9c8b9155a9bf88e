"""Every static checker over every app of the repository, with no finding that has no reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import pytest

from tests.conftest import APPS, Assemblies
from tests.static import accepted
from tests.static.accepted import FOREIGN
from tests.static.checkov import PROGRAM, checkov_findings
from tests.static.iam import check_iam
from tests.static.lint import lint_all
from tests.static.nag import nag_report

# Of stacks that are alike, these are read by the slow checkers.
SAMPLE: Final = {
    "hundred_tenants": frozenset({"Platform", "Tenants01"}),
    "hundred_users": frozenset({"Studio", "NotebooksEndpoints02", "NotebooksUsers01"}),
    "custom_image": frozenset({"Science"}),
}


def none(findings: Sequence[str]) -> None:
    if findings:
        pytest.fail("\n".join(findings), pytrace=False)


def chosen(name: str, stack: str) -> bool:
    return stack not in FOREIGN and (name not in SAMPLE or stack in SAMPLE[name])


@pytest.mark.parametrize("name", APPS)
def test_cdk_nag(name: str, assemblies: Assemblies) -> None:
    report = nag_report(assemblies(name).app)
    none([each for each in report.findings if each.partition("/")[0] not in FOREIGN])
    assert report.stale == ()
    assert report.wrong == ()


@pytest.mark.parametrize("name", APPS)
def test_iam_actions_and_resources(name: str, assemblies: Assemblies) -> None:
    for stack, template in assemblies(name).templates().items():
        if stack not in FOREIGN:
            none(check_iam(template, accepted.IAM_STARS).problems)


@pytest.mark.parametrize("name", APPS)
def test_cfn_lint(name: str, assemblies: Assemblies) -> None:
    texts = {
        stack: json.dumps(template)
        for stack, template in assemblies(name).templates().items()
        if chosen(name, stack)
    }
    none(lint_all(texts, accepted.LINT))


@pytest.mark.skipif(not PROGRAM.exists(), reason="checkov is not installed: make test does it")
def test_checkov(assemblies: Assemblies) -> None:
    paths = [
        assemblies(name).folder / f"{stack}.template.json"
        for name in APPS
        for stack in assemblies(name).templates()
        if chosen(name, stack)
    ]
    none(checkov_findings(paths))
