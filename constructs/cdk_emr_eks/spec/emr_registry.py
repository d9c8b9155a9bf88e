"""Where EMR publishes the images that its jobs and notebooks run, and others build upon."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class ImageKind(StrEnum):
    """Kinds of EMR's images, by what runs in them."""

    SPARK = "spark"
    """Jobs, Spark Connect and Livy."""
    NOTEBOOK_SPARK = "notebook-spark"
    """PySpark and Scala kernels of interactive endpoints."""
    NOTEBOOK_PYTHON = "notebook-python"
    """The plain Python 3 kernel of interactive endpoints."""


OLDEST_RELEASE: Final = (6, 9, 0)
"""Oldest EMR release with images in ECR Public.

Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/docker-custom-images-tag.html
"""
_WITHOUT_PUBLIC: Final[Mapping[str, str]] = {
    "cn-north-1": "068337069695.dkr.ecr.cn-north-1.amazonaws.com.cn",
    "cn-northwest-1": "068420816659.dkr.ecr.cn-northwest-1.amazonaws.com.cn",
    "us-gov-east-1": "299393998622.dkr.ecr.us-gov-east-1.amazonaws.com",
    "us-gov-west-1": "299385240661.dkr.ecr.us-gov-west-1.amazonaws.com",
}
"""EMR's own registry, where the API that logs in to ECR Public has no partition's credentials.

Source: as above (registry accounts by region);
https://docs.aws.amazon.com/AmazonECR/latest/public/public-registries.html
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
    registry = _WITHOUT_PUBLIC.get(region or "", "public.ecr.aws/emr-on-eks")
    return f"{registry}/{kind}/{release}:{tag}"
