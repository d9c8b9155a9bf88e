"""Admission options, versions of Kubernetes and CEL: what is just allowed, and what is refused."""

from __future__ import annotations

from functools import partial
from typing import Final

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.admission.admission import (
    CONTROLLERS,
    DIGESTS,
    MODE,
    REGISTRIES,
    STORAGE_CLASSES,
    SYSTEM_NAMESPACES,
    UNDISTURBED,
    WORKLOADS,
    Admission,
    AdmissionMode,
    JobController,
)
from cdk_emr_eks.model.admission.cluster_policies import ADMISSION_POLICIES, ClusterPolicies
from cdk_emr_eks.model.admission.mutation import supports_mutation, to_cel
from tests.refusals import Boundary, Build, allowed_texts, refused_fields, refused_texts

TOKEN: Final = "${Token[TOKEN.1]}"
REGISTRY: Final = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/"
EMR: Final = "755674844232.dkr.ecr.us-east-1.amazonaws.com/spark/emr-7.14.0:latest"

TEXTS: Final[tuple[Boundary, ...]] = (
    (
        "registries",
        lambda text: Admission(registries=(text,)),
        ("a/", "ghcr.io/", "localhost:5000/a/b/", REGISTRY, f"{TOKEN}/"),
        ("", "/", "a", "A/", "-a/", "a//", "a/B/", TOKEN, f"{TOKEN},b/", "a:b/"),
    ),
    (
        "storage_classes",
        lambda text: Admission(storage_classes=(text,)),
        ("gp3", "a" * 63),
        ("", "GP3", "a" * 64),
    ),
    (
        "service_account",
        lambda text: JobController(roles=("r",), service_account=text),
        ("a", "a-b.c", "a" * 253),
        ("", "-a", "a-", "A", "a" * 254),
    ),
    (
        "namespace",
        lambda text: JobController(roles=("r",), namespace=text),
        ("a", "a" * 63, "kube-public"),
        ("", "A", "a" * 64, "kube-system"),
    ),
    (
        "roles",
        lambda text: JobController(roles=(text,)),
        ("a", "a" * 64),
        ("", "a b", "a" * 65),
    ),
    (
        "kubernetes",
        lambda text: ClusterPolicies(kubernetes=text),
        ("1.30", "1.36", "1.99"),
        ("1.29", "1.3", "2.30", "1.300", "v1.36", ""),
    ),
)


@allowed_texts(TEXTS)
def test_text_within_the_rules_is_allowed(build: Build, text: str) -> None:
    build(text)


@refused_texts(TEXTS)
def test_text_outside_the_rules_is_refused_by_its_field(
    field: str, build: Build, text: str
) -> None:
    assert refused_fields(partial(build, text)) == {field}


def test_a_registry_without_a_final_slash_gets_a_proposal() -> None:
    with pytest.raises(ConfigError, match=r"got 'ghcr.io/team'; end it with '/'"):
        Admission(registries=("ghcr.io/team",))


def test_an_app_that_does_not_install_the_policies_gives_no_version() -> None:
    assert ClusterPolicies() == ClusterPolicies(install=True, kubernetes=None)
    assert ClusterPolicies(install=False).kubernetes is None
    with pytest.raises(ConfigError, match="must be left out with install=False"):
        ClusterPolicies(install=False, kubernetes="1.36")


@pytest.mark.parametrize(
    ("kubernetes", "supported"), [("1.35", False), ("1.36", True), ("1.37", True), ("2.0", True)]
)
def test_mutating_policies_need_kubernetes_1_36(kubernetes: str, supported: bool) -> None:
    assert supports_mutation(kubernetes) is supported


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", '"a"'),
        (1, "1"),
        (True, "true"),
        ([], "[]"),
        (["a", 1], '[dyn("a"), dyn(1)]'),
        ({"a": {"b": [1]}}, '{"a": dyn({"b": dyn([dyn(1)])})}'),
    ],
)
def test_values_are_written_as_cel(value: object, text: str) -> None:
    assert to_cel(value) == text


def test_images_of_emr_and_of_registries_are_admitted() -> None:
    admission = Admission(registries=(REGISTRY,))
    assert admission.image_problems("image", EMR) == ()
    assert admission.image_problems("image", "public.ecr.aws/emr-on-eks/spark:1") == ()
    assert admission.image_problems("image", f"{REGISTRY}spark:1") == ()
    assert admission.image_problems("image", TOKEN) == ()
    for other in ("ghcr.io/a/b:1", f"x{EMR}", "public.ecr.aws/other/spark:1"):
        (problem,) = admission.image_problems("image", other)
        assert (problem.field, problem.got) == ("image", other)
    (problem,) = Admission().image_problems("image", TOKEN)
    assert problem.got == TOKEN
    for mode in (AdmissionMode.AUDIT, AdmissionMode.OFF):
        assert Admission(mode=mode).image_problems("image", "ghcr.io/a/b:1") == ()


def test_the_namespace_has_what_the_policies_read() -> None:
    full = Admission(
        registries=(REGISTRY, "a/"),
        image_digests=True,
        storage_classes=("gp3", "io2"),
        controllers=(JobController(roles=("A",)),),
    )
    assert full.labels() == {"emr-eks/admission": "enforce"}
    assert full.annotations(["a", "b"], ["b"], ["part"]) == {
        "emr-eks/workloads": "a,b",
        "emr-eks/undisturbed-executors": "b",
        "emr-eks/registries": f"{REGISTRY},a/",
        "emr-eks/image-digests": "required",
        "emr-eks/storage-classes": "gp3,io2",
        "emr-eks/job-controllers": "spark-operator:emr-containers-sa-spark-operator:1t",
        "emr-eks/system-namespaces": "part",
    }
    assert Admission().annotations(["a"], []) == {"emr-eks/workloads": "a"}
    audit, off = Admission(mode=AdmissionMode.AUDIT), Admission(mode=AdmissionMode.OFF)
    assert audit.labels() == {MODE: "audit"}
    assert (off.labels(), off.annotations(["a"], ["a"])) == ({}, {})
    keys = (WORKLOADS, UNDISTURBED, REGISTRIES, DIGESTS, STORAGE_CLASSES, CONTROLLERS)
    assert set(full.annotations(["a"], ["a"])) == set(keys)
    assert SYSTEM_NAMESPACES not in keys


def test_every_policy_is_installed_once_and_denies_or_warns() -> None:
    assert [policy.name.removeprefix("emr-eks-") for policy in ADMISSION_POLICIES] == [
        *("pods", "pod-changes", "pod-owners", "pod-access"),
        *("services", "secrets", "claims", "finalizers", "others"),
    ]
