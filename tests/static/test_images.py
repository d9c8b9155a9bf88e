"""Every static checker over images of one's own, with no finding that has no reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import pytest

from tests.static import accepted
from tests.static.iam import check_iam
from tests.static.lint import lint_all
from tests.static.nag import nag_report
from tests.synth.image_app import images

# Spark is what the example custom_image has; checkov reads that, and here nothing else.
# User has CDK's own grants, which are not ours to accept.
STACKS: Final = ("Own", "Notebook")


def none(findings: Sequence[str]) -> None:
    if findings:
        pytest.fail("\n".join(findings), pytrace=False)


def test_cdk_nag() -> None:
    report = nag_report(images().app)
    none([each for each in report.findings if not each.startswith("User/")])
    assert report.stale == ()
    assert report.wrong == ()


@pytest.mark.parametrize("stack", STACKS)
def test_iam_actions_and_resources(stack: str) -> None:
    none(check_iam(images().templates[stack], accepted.IAM_STARS).problems)


def test_cfn_lint() -> None:
    texts = {stack: json.dumps(images().templates[stack]) for stack in STACKS}
    none(lint_all(texts, accepted.LINT))
