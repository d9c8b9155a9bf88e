"""Images that pods of a tenant can have: those of EMR and of the tenant's registries."""

from __future__ import annotations

from typing import Final

import pytest

from cdk_emr_eks import Admission, AdmissionMode

REGISTRY: Final = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/"
EMR: Final = "483788554619.dkr.ecr.eu-west-1.amazonaws.com/spark/emr-7.14.0:latest"
FOREIGN: Final = "ghcr.io/apache/spark:4.0.0"


def problems(image: str, mode: AdmissionMode = AdmissionMode.ENFORCE) -> list[str]:
    admission = Admission(mode=mode, registries=(REGISTRY,))
    return [str(each) for each in admission.image_problems("image", image)]


@pytest.mark.parametrize("image", [f"{REGISTRY}spark:1", EMR, "${Token[TOKEN.1]}"])
def test_an_image_of_a_known_registry_is_admitted(image: str) -> None:
    assert problems(image) == []


def test_an_image_of_another_registry_is_refused_before_its_pods_are() -> None:
    (problem,) = problems(FOREIGN)
    assert problem.startswith("image must be of a registry in admission.registries")
    assert f"got {FOREIGN!r}; SparkImage.registry is its beginning" in problem


@pytest.mark.parametrize("mode", [AdmissionMode.AUDIT, AdmissionMode.OFF])
def test_every_image_is_admitted_where_policies_are_not_enforced(mode: AdmissionMode) -> None:
    assert problems(FOREIGN, mode) == []
