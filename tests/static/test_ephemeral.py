"""Static checkers over ephemeral jobs, and over the template that their executions deploy."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tests.static import accepted
from tests.static.checkov import PROGRAM, checkov_findings
from tests.static.iam import check_iam
from tests.static.lint import lint_all
from tests.static.nag import nag_report
from tests.synth.ephemeral_app import synthesized

STACKS = ("Elsewhere", "Imported")


def none(findings: Sequence[str]) -> None:
    if findings:
        pytest.fail("\n".join(findings), pytrace=False)


def test_cdk_nag() -> None:
    report = nag_report(synthesized().app)
    # The cluster of the tests is a bare one; what the people have is the app's own.
    none([each for each in report.findings if "/Research/" in each or "/Plain/" in each])
    assert report.stale == ()
    assert report.wrong == ()


def test_iam_actions_and_resources() -> None:
    none(check_iam(synthesized().templates["Elsewhere"], accepted.IAM_STARS).problems)


def test_cfn_lint() -> None:
    templates = {name: json.dumps(synthesized().templates[name]) for name in STACKS}
    none(lint_all(templates, accepted.LINT))


@pytest.mark.skipif(not PROGRAM.exists(), reason="checkov is not installed: make test does it")
def test_checkov() -> None:
    none(checkov_findings([synthesized().outdir / f"{name}.template.json" for name in STACKS]))
