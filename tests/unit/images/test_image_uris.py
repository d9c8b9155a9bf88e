"""EMR's registries and URIs of images: what is just allowed, and what is just refused."""

from __future__ import annotations

import re
from typing import Final

import boto3
import pytest

from cdk_emr_eks.model.images.emr_images import (
    EMR_ACCOUNTS,
    EMR_IMAGE,
    PUBLIC_IMAGES,
    ImageKind,
    base_image,
)
from cdk_emr_eks.model.images.image import BuilderSize, ImageSpec
from cdk_emr_eks.model.images.image_uri import base_uri, ecr_repository, image_uri

DIGEST: Final = "sha256:" + "0a" * 32
ECR: Final = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"


def test_emrs_registries_are_in_regions_of_aws() -> None:
    session = boto3.session.Session()
    regions = {
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("s3", partition_name=partition)
    }
    assert set(EMR_ACCOUNTS) <= regions
    assert all(re.fullmatch(r"\d{12}", account) for account in EMR_ACCOUNTS.values())
    assert len(set(EMR_ACCOUNTS.values())) == len(EMR_ACCOUNTS)


@pytest.mark.parametrize("region", ["cn-north-1", "cn-northwest-1"])
def test_images_in_china_come_from_emrs_registry_there(region: str) -> None:
    host = f"{EMR_ACCOUNTS[region]}.dkr.ecr.{region}.amazonaws.com.cn"
    uri = base_image(ImageKind.SPARK, "emr-7.14.0-latest", region)
    assert uri == f"{host}/spark/emr-7.14.0:latest"
    assert re.match(EMR_IMAGE, uri)


@pytest.mark.parametrize("region", ["us-gov-east-1", "us-gov-west-1"])
def test_images_in_govcloud_come_from_emrs_registry_there(region: str) -> None:
    host = f"{EMR_ACCOUNTS[region]}.dkr.ecr.{region}.amazonaws.com"
    uri = base_image(ImageKind.NOTEBOOK_PYTHON, "emr-7.14.0-latest", region)
    assert uri == f"{host}/notebook-python/emr-7.14.0:latest"
    assert re.match(EMR_IMAGE, uri)


@pytest.mark.parametrize("region", [None, "", "eu-west-1", "xx-new-1", "us-gov-new-1"])
def test_other_regions_use_ecr_public(region: str | None) -> None:
    uri = base_image(ImageKind.NOTEBOOK_SPARK, "emr-7.14.0-20260812", region)
    assert uri == "public.ecr.aws/emr-on-eks/notebook-spark/emr-7.14.0:20260812"
    assert re.match(EMR_IMAGE, uri)


def test_images_in_ecr_public_start_with_emr_6_9() -> None:
    assert PUBLIC_IMAGES.problems("emr-6.9.0-latest") == ()
    (problem,) = PUBLIC_IMAGES.problems("emr-6.8.0-latest")
    assert "at least emr-6.9.0 for images in ECR Public" in str(problem)


def test_names_of_emrs_images_and_of_build_machines() -> None:
    assert [each.value for each in ImageKind] == ["spark", "notebook-spark", "notebook-python"]
    assert [each.value for each in BuilderSize] == [
        "BUILD_GENERAL1_SMALL",
        "BUILD_GENERAL1_MEDIUM",
        "BUILD_GENERAL1_LARGE",
    ]
    spec = ImageSpec(name="a", requirements=("a==1",))
    assert (spec.builder.size, spec.revision, spec.base) == (BuilderSize.MEDIUM, "", None)
    assert spec.release_label == "emr-7.14.0-latest"


@pytest.mark.parametrize(
    "name",
    [
        f"{ECR}/a",
        f"{ECR}:443/a_b.c-d/e__f",
        "ghcr.io/a",
        "a-b.c/d",
    ],
)
def test_repositories_with_tags_and_digests_pass(name: str) -> None:
    longest = "t" * 128
    for uri in (f"{name}@{DIGEST}", f"{name}:{longest}@{DIGEST}", f"{name}:T_.-9@{DIGEST}"):
        assert image_uri("image", uri) == ()
        assert len(uri) > 200 or base_uri("base", uri) == ()
    assert base_uri("base", f"{name}:1") == ()
    (problem,) = image_uri("image", f"{name}:1")
    assert problem.fix == "docker buildx imagetools inspect shows the digest"
    for uri in (f"{name}:{longest}t@{DIGEST}", f"{name}:.a@{DIGEST}", f"{name}@{DIGEST}0"):
        assert [each.fix for each in image_uri("image", uri)] == [""]


@pytest.mark.parametrize("name", ["a/b", f"{ECR}/-a", f"{ECR}/a-", f"{ECR}/", "A.b/c"])
def test_names_without_a_registry_or_repository_are_refused(name: str) -> None:
    assert [each.field for each in image_uri("image", f"{name}@{DIGEST}")] == ["image"]
    assert [each.field for each in base_uri("base", f"{name}@{DIGEST}")] == ["base"]


@pytest.mark.parametrize(
    "host",
    ["11112222333.dkr.ecr.eu-west-1.amazonaws.com", "111122223333.dkr.ecr.eu-west-1.example.com"],
)
def test_other_registries_are_not_ecr(host: str) -> None:
    assert ecr_repository(f"{host}/a:1") is None
