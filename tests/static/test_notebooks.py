"""Every static checker over Studios of all ways to sign in, with their users and endpoints."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tests.static import accepted
from tests.static.checkov import PROGRAM, checkov_findings
from tests.static.iam import check_iam
from tests.static.lint import lint_all
from tests.static.nag import nag_report
from tests.synth.notebook_app import notebooks

STACKS = ("Iam", "Saml", "Center")


def none(findings: Sequence[str]) -> None:
    if findings:
        pytest.fail("\n".join(findings), pytrace=False)


def test_cdk_nag() -> None:
    report = nag_report(notebooks().app)
    none(report.findings)
    assert report.stale == ()
    assert report.wrong == ()


@pytest.mark.parametrize("stack", STACKS)
def test_iam_actions_and_resources(stack: str) -> None:
    none(check_iam(notebooks().templates[stack], accepted.IAM_STARS).problems)


def test_cfn_lint() -> None:
    texts = {stack: json.dumps(notebooks().templates[stack]) for stack in STACKS}
    none(lint_all(texts, accepted.LINT))


@pytest.mark.skipif(not PROGRAM.exists(), reason="checkov is not installed: make test does it")
def test_checkov() -> None:
    # Users of IAM are in the examples.
    stacks = ("Saml", "Center")
    none(checkov_findings([notebooks().folder / f"{stack}.template.json" for stack in stacks]))
