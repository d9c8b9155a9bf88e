"""Order in which the resources of a template are created."""

from __future__ import annotations

import pytest

from cdk_emr_eks.assembly.evaluation import UnresolvableError
from cdk_emr_eks.simulation.deploy.stack import creation_order


def test_order_follows_references_and_depends_on() -> None:
    order = creation_order(
        {
            "Last": {"DependsOn": ["Middle", "Other"]},
            "Middle": {"Properties": {"Name": {"Fn::Sub": "${First}"}}},
            "Other": {"DependsOn": "Middle"},
            "First": {"Properties": {"Zone": {"Ref": "AWS::Region"}}},
        }
    )
    assert order == ("First", "Middle", "Other", "Last")


def test_a_circle_is_refused() -> None:
    resources = {"A": {"DependsOn": "B"}, "B": {"Properties": {"x": {"Ref": "A"}}}}
    with pytest.raises(UnresolvableError, match="depend on each other"):
        creation_order(resources)
