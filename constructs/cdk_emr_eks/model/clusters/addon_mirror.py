"""Where charts and images of add-ons are for a network without a way to the internet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.versions import KARPENTER, LOAD_BALANCER_CONTROLLER

PUBLIC_REGISTRY: Final = "public.ecr.aws"
"""Amazon ECR Public, which has no VPC endpoint that images could be pulled by.

Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html, 2026-11.
"""
KARPENTER_CRDS: Final = "karpenter/karpenter-crd"
"""Repository of the chart of Karpenter's CRDs in ECR Public."""
KARPENTER_CHART: Final = "karpenter/karpenter"
"""Repository of its chart."""
KARPENTER_IMAGE: Final = "karpenter/controller"
"""Repository of its image; the chart names it by digest."""
BALANCERS_IMAGE: Final = "eks/aws-load-balancer-controller"
"""Repository of the image of the AWS Load Balancer Controller in ECR Public."""
BALANCERS_CHART: Final = "aws-load-balancer-controller"
"""Name of its chart, and of the release."""
BALANCERS_CHARTS: Final = "https://aws.github.io/eks-charts"
"""Where that chart is: in no registry.

Source: https://github.com/aws/eks-charts/issues/1070, 2026-11.
"""

_PREFIX: Final = re.compile(
    r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*"
)
_LENGTHS: Final = range(2, 31)
# Source: the resource schema of AWS::ECR::PullThroughCacheRule, 2026-11.
_ACCOUNT: Final = re.compile(r"\d{12}")


@dataclass(frozen=True, kw_only=True, slots=True)
class AddonMirror:
    """Repositories of Amazon ECR that add-ons are installed from, instead of the internet.

    They are in the region of the stack, since that is what the VPC's endpoints reach. A repository
    of ECR Public has its own name after the prefix, as a pull-through cache names it:
    ``ecr-public/karpenter/controller``. A chart that is in no registry is in a repository of its
    name after ``<prefix>-charts``: ``ecr-public-charts/aws-load-balancer-controller``.
    ``AddonRegistry`` makes them; copies of your own, under the same names, serve as well.

    EKS' managed add-ons and EMR's charts and images are not in it: they come from the registries
    that EKS and EMR have in each region.

    Args:
        prefix: Beginning of the repositories' names, without a slash at its end: 2 to 30
            characters, as of a pull-through cache. Default ``ecr-public``, as ECR itself proposes.
        account: Account that has the repositories; their policies must let the platform's account
            pull. None: the stack's own.

    Raises:
        ConfigError: If the prefix is none that ECR takes, or the account is not 12 digits.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-creating-rule.html

    Example:
        >>> AddonMirror(prefix="mirror").repository("karpenter/controller")
        'mirror/karpenter/controller'
    """

    prefix: str = "ecr-public"
    account: str | None = None

    def __post_init__(self) -> None:
        check_types("AddonMirror", self)
        problems = Problems("AddonMirror")
        fits = len(self.prefix) in _LENGTHS and _PREFIX.fullmatch(self.prefix) is not None
        rule = "must be 2 to 30 characters such as 'ecr-public': a-z, 0-9, and '._-/' between them"
        problems.require(fits, "prefix", rule, self.prefix)
        known = self.account is None or _ACCOUNT.fullmatch(self.account) is not None
        problems.require(known, "account", "must be an account id of 12 digits", self.account)
        problems.raise_if_any()

    @property
    def charts_prefix(self) -> str:
        """Beginning of the names of repositories of charts that are in no registry.

        Outside of the prefix, where a pull-through cache would look for them in ECR Public.
        """
        return f"{self.prefix}-charts"

    def repository(self, public: str) -> str:
        """Return the name of the repository that stands for one of ECR Public."""
        return f"{self.prefix}/{public}"

    def chart(self, name: str) -> str:
        """Return the name of the repository of a chart that is in no registry."""
        return f"{self.charts_prefix}/{name}"

    def fill_commands(
        self,
        registry: str,
        *,
        region: str,
        karpenter: str = KARPENTER,
        load_balancer_controller: str = LOAD_BALANCER_CONTROLLER,
    ) -> tuple[str, ...]:
        """Return shell commands that fill a pull-through cache, and the repository of the chart.

        They need helm, docker and a way to the internet. The first pull of anything through a cache
        may need one, later pulls do not; and what is cached is pulled even when ECR cannot look for
        news, so that the platform's own roles import nothing.

        Args:
            registry: Host of the registry; may be a token.
            region: Its region; may be a token.
            karpenter: Version of Karpenter that will be installed.
            load_balancer_controller: Version of the AWS Load Balancer Controller.

        Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html,
        2026-11.
        """
        password = f"aws ecr get-login-password --region {region}"
        login = f"login --username AWS --password-stdin {registry}"
        images = {
            KARPENTER_IMAGE: karpenter,
            BALANCERS_IMAGE: f"v{load_balancer_controller}",
        }
        archive = f"{BALANCERS_CHART}-{load_balancer_controller}.tgz"
        pull = f"helm pull {BALANCERS_CHART} --repo {BALANCERS_CHARTS}"
        return (
            f"{password} | helm registry {login}",
            f"{password} | docker {login}",
            *(
                f"helm pull oci://{registry}/{self.repository(chart)} --version {karpenter}"
                for chart in (KARPENTER_CRDS, KARPENTER_CHART)
            ),
            # A cache takes all architectures of a tag, whichever is pulled.
            *(
                f"docker pull {registry}/{self.repository(image)}:{tag}"
                for image, tag in images.items()
            ),
            f"{pull} --version {load_balancer_controller}",
            f"helm push {archive} oci://{registry}/{self.charts_prefix}",
        )
