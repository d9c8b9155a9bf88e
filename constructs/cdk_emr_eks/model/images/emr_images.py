"""EMR's own images: their kinds, their registries in each Region, and their names.

Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/docker-custom-images-tag.html
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from cdk_emr_eks.releases import OldestRelease


class ImageKind(StrEnum):
    """Kinds of EMR's images, by what runs in them.

    Attributes:
        SPARK: Jobs, Spark Connect and Livy.
        NOTEBOOK_SPARK: PySpark and Scala kernels of managed endpoints.
        NOTEBOOK_PYTHON: The plain Python 3 kernel of managed endpoints.
    """

    SPARK = "spark"
    NOTEBOOK_SPARK = "notebook-spark"
    NOTEBOOK_PYTHON = "notebook-python"


# AWS account of EMR's registry by Region.
EMR_ACCOUNTS: Final[Mapping[str, str]] = {
    "af-south-1": "358491847878",
    "ap-east-1": "736135916053",
    "ap-northeast-1": "059004520145",
    "ap-northeast-2": "996579266876",
    "ap-northeast-3": "705689932349",
    "ap-south-1": "235914868574",
    "ap-south-2": "691480105545",
    "ap-southeast-1": "671219180197",
    "ap-southeast-2": "038297999601",
    "ap-southeast-3": "946962994502",
    "ca-central-1": "351826393999",
    "cn-north-1": "068337069695",
    "cn-northwest-1": "068420816659",
    "eu-central-1": "107292555468",
    "eu-central-2": "314408114945",
    "eu-north-1": "830386416364",
    "eu-south-1": "238014973495",
    "eu-south-2": "350796622945",
    "eu-west-1": "483788554619",
    "eu-west-2": "118780647275",
    "eu-west-3": "307523725174",
    "il-central-1": "395734710648",
    "me-central-1": "818935616732",
    "me-south-1": "008085056818",
    "sa-east-1": "052806832358",
    "us-east-1": "755674844232",
    "us-east-2": "711395599931",
    "us-gov-east-1": "299393998622",
    "us-gov-west-1": "299385240661",
    "us-west-1": "608033475327",
    "us-west-2": "895885662937",
}

# Oldest EMR release with images in ECR Public.
PUBLIC_IMAGES: Final = OldestRelease(feature="images in ECR Public", emr=(6, 9, 0))

# Prefixes of Regions whose credentials do not log in to ECR Public.
# Source: https://docs.aws.amazon.com/AmazonECR/latest/public/public-registries.html
_WITHOUT_PUBLIC: Final = ("cn-", "us-gov-")

_PUBLIC: Final = "public[.]ecr[.]aws/emr-on-eks/"

# Regular expression of the names of EMR's images, in every Region, since a stack may not know its
# Region. Each dot is a character class, since CEL would read a backslash first.
EMR_IMAGE: Final = (
    f"^({_PUBLIC}|({'|'.join(EMR_ACCOUNTS.values())})[.]dkr[.]ecr[.][a-z0-9-]+[.]amazonaws[.]com"
    "([.]cn)?/)"
)


def base_image(kind: ImageKind, release_label: str, region: str | None = None) -> str:
    """Return the URI of EMR's image of a release.

    In commercial Regions the image is in ECR Public, also in Regions that the guide's table of
    registries lacks. In China and GovCloud it is in EMR's registry of the Region.

    Args:
        kind: What runs in it.
        release_label: A valid release label; its end, a date or ``latest``, is the tag.
        region: Region of the deployment. None: unknown, treated as a commercial Region.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/docker-custom-images-tag.html
    """
    release, _, tag = release_label.rpartition("-")
    registry = "public.ecr.aws/emr-on-eks"
    if region and region.startswith(_WITHOUT_PUBLIC) and region in EMR_ACCOUNTS:
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        registry = f"{EMR_ACCOUNTS[region]}.dkr.ecr.{region}.{suffix}"
    return f"{registry}/{kind}/{release}:{tag}"
