"""Images that pods of a tenant can have: those of EMR and of the tenant's registries."""

from __future__ import annotations

from functools import partial
from typing import Final

import pytest

from cdk_emr_eks import Admission, AdmissionMode, Tenant
from tests.refusals import refused

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


def test_the_image_of_a_tenant_has_a_digest_and_a_registry_of_the_tenant() -> None:
    digest = f"@sha256:{'0' * 64}"
    own, other = f"{REGISTRY}spark{digest}", f"ghcr.io/apache/spark{digest}"
    admission = Admission(registries=(REGISTRY,))
    assert Tenant(name="data", image=own, admission=admission).image == own
    assert Tenant(name="data", image=other, admission=Admission(mode=AdmissionMode.OFF)).image
    for image, words in (
        (other, "image must be of a registry in admission.registries"),
        (f"{REGISTRY}spark:1", "image must be an image with its digest"),
    ):
        text = refused(partial(Tenant, name="data", image=image, admission=admission))
        assert text.startswith(f"Tenant 'data': {words}")
