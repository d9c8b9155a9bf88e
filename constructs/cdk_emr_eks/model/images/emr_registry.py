"""Where EMR publishes the images that its jobs and notebooks run, and others build upon."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from cdk_emr_eks.model.images.emr_images import EMR_ACCOUNTS
from cdk_emr_eks.releases import OldestRelease


class ImageKind(StrEnum):
    """Kinds of EMR's images, by what runs in them."""

    SPARK = "spark"
    """Jobs, Spark Connect and Livy."""
    NOTEBOOK_SPARK = "notebook-spark"
    """PySpark and Scala kernels of managed endpoints."""
    NOTEBOOK_PYTHON = "notebook-python"
    """The plain Python 3 kernel of managed endpoints."""


PUBLIC_IMAGES: Final = OldestRelease(feature="images in ECR Public", emr=(6, 9, 0))
"""Oldest EMR release with images in ECR Public.

Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/docker-custom-images-tag.html
"""
_WITHOUT_PUBLIC: Final = ("cn-", "us-gov-")
"""Beginnings of regions whose credentials do not log in to ECR Public.

Source: https://docs.aws.amazon.com/AmazonECR/latest/public/public-registries.html
"""


def base_image(kind: ImageKind, release_label: str, region: str | None = None) -> str:
    """Return the URI of EMR's image of a release.

    It is in ECR Public, which serves every commercial region, also those that the guide's table of
    registries lacks; in China and GovCloud in EMR's registry of the region.

    Args:
        kind: What runs in it.
        release_label: A release label that was checked; its end, a date or ``latest``, is the tag.
        region: Region of the deployment. None: not known, taken for a commercial one.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/docker-custom-images-tag.html
    """
    release, _, tag = release_label.rpartition("-")
    registry = "public.ecr.aws/emr-on-eks"
    if region and region.startswith(_WITHOUT_PUBLIC) and region in EMR_ACCOUNTS:
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        registry = f"{EMR_ACCOUNTS[region]}.dkr.ecr.{region}.{suffix}"
    return f"{registry}/{kind}/{release}:{tag}"
