"""Every static checker over every app, with no finding that has no reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

import pytest

from tests.conftest import APPS, Assemblies
from tests.static import suppressions
from tests.static.checkov import PROGRAM, checkov_findings
from tests.static.iam import check_iam
from tests.static.lint import lint_all
from tests.static.nag import nag_report
from tests.static.subjects import PARTS, Subject, of_app

NAMES: Final = (*APPS, *PARTS)

Subjects = Callable[[str], Subject]


@pytest.fixture(scope="module")
def subjects(assemblies: Assemblies) -> Subjects:
    return cache(lambda name: PARTS[name]() if name in PARTS else of_app(name, assemblies(name)))


def none(findings: Sequence[str]) -> None:
    if findings:
        pytest.fail("\n".join(findings), pytrace=False)


@pytest.mark.parametrize("name", NAMES)
def test_cdk_nag(name: str, subjects: Subjects) -> None:
    subject = subjects(name)
    report = nag_report(subject.app)
    none([each for each in report.findings if subject.ours(each)])
    assert report.stale == ()
    assert report.wrong == ()


@pytest.mark.parametrize("name", NAMES)
def test_iam_actions_and_resources(name: str, subjects: Subjects) -> None:
    subject = subjects(name)
    none(
        [
            f"{stack}: {problem}"
            for stack in subject.iam
            for problem in check_iam(subject.template(stack), suppressions.IAM_STARS).problems
        ]
    )


@pytest.mark.parametrize("name", NAMES)
def test_cfn_lint(name: str, subjects: Subjects) -> None:
    subject = subjects(name)
    texts = {stack: json.dumps(subject.template(stack)) for stack in subject.lint}
    none(lint_all(texts, suppressions.LINT))


@pytest.mark.skipif(not PROGRAM.exists(), reason="checkov is not installed: make test does it")
def test_checkov(subjects: Subjects) -> None:
    read = map(subjects, NAMES)
    none(checkov_findings([subject.path(stack) for subject in read for stack in subject.checkov]))
