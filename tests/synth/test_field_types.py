"""Public values of constructs refuse fields of another type."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

import cdk_emr_eks
from cdk_emr_eks.addons.karpenter import FeatureGates, Karpenter, SchedulingBatch
from cdk_emr_eks.addons.load_balancer_controller import LoadBalancerController
from cdk_emr_eks.addons.protocol import Addon
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.field_types import check_argument
from cdk_emr_eks.lazy_exports import exported
from cdk_emr_eks.model.instances.instances import Resources
from cdk_emr_eks.units import Memory
from tests.refusals import refused

VALUES: tuple[Any, ...] = (
    Karpenter(),
    FeatureGates(),
    LoadBalancerController(),
    SchedulingBatch(),
)
FIELDS = [(value, each.name) for value in VALUES for each in fields(value)]
# Values with constructs in their fields have tests next to those of the constructs, and the library
# creates the location of a pod template.
ELSEWHERE = {
    "AddonContext",
    "ExistingNetwork",
    "ImportedPlatform",
    "NodeEnvironment",
    "OidcProvider",
    "Platform",
    "PodTemplateLocation",
    "StudioNetwork",
    "TenancyContext",
}


def test_every_public_value_of_a_construct_is_among_those_checked_here() -> None:
    values = {
        name
        for name, module in exported(cdk_emr_eks.__file__).items()
        if not module.startswith(("cdk_emr_eks.model.", "cdk_emr_eks.units", "cdk_emr_eks.errors"))
        and isinstance(found := getattr(cdk_emr_eks, name), type)
        and is_dataclass(found)
    }
    assert values - ELSEWHERE <= {type(value).__name__ for value in VALUES}


@pytest.mark.parametrize(
    ("value", "field"), FIELDS, ids=[f"{type(value).__name__}.{field}" for value, field in FIELDS]
)
def test_no_field_accepts_an_object_of_another_type(value: Any, field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        replace(value, **{field: object()})
    assert field in caught.value.fields


def test_errors_name_the_expected_type() -> None:
    assert refused(lambda: Karpenter(resources=Resources(1, Memory(2048)))) == (  # type: ignore[arg-type]
        "Karpenter: resources must have Cpu as its cpu, got 1; "
        "write Cpu.cores(4) or Cpu(500) for millicores."
    )
    assert refused(lambda: FeatureGates(node_repair="yes")) == (  # type: ignore[arg-type]
        "FeatureGates: node_repair must be True or False, got 'yes'."
    )


def test_an_add_on_has_the_members_of_the_interface() -> None:
    check_argument("Cluster", "addon", Addon, Karpenter())
    with pytest.raises(ConfigError, match="addon must be Addon"):
        check_argument("Cluster", "addon", Addon, FeatureGates())
