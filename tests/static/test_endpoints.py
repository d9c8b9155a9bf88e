"""Every static checker over interactive endpoints: beside their cluster, elsewhere, imported."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tests.static import accepted
from tests.static.iam import check_iam
from tests.static.lint import lint_all
from tests.static.nag import nag_report
from tests.synth.endpoint_app import synthesized

# checkov reads endpoints in examples: ara_post, beside the cluster, and hundred_users, elsewhere.
STACKS = ("Platform", "Elsewhere", "Imported")


def none(findings: Sequence[str]) -> None:
    if findings:
        pytest.fail("\n".join(findings), pytrace=False)


def test_cdk_nag() -> None:
    report = nag_report(synthesized().app)
    none(report.findings)
    assert report.stale == ()
    assert report.wrong == ()


@pytest.mark.parametrize("stack", STACKS)
def test_iam_actions_and_resources(stack: str) -> None:
    none(check_iam(synthesized().templates[stack], accepted.IAM_STARS).problems)


def test_cfn_lint() -> None:
    texts = {stack: json.dumps(synthesized().templates[stack]) for stack in STACKS}
    none(lint_all(texts, accepted.LINT))
