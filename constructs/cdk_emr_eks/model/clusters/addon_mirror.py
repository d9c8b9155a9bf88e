"""Registry of charts and images of add-ons for a network without internet access."""

from __future__ import annotations

import re
from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.values import value
from cdk_emr_eks.versions import KARPENTER, LOAD_BALANCER_CONTROLLER

# Amazon ECR Public, from which images cannot be pulled through a VPC endpoint.
# Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html, 2026-11
PUBLIC_REGISTRY: Final = "public.ecr.aws"

# Repositories in ECR Public: charts of Karpenter's CRDs and of Karpenter, Karpenter's image (the
# chart has its digest), and the image of the AWS Load Balancer Controller.
KARPENTER_CRDS: Final = "karpenter/karpenter-crd"
KARPENTER_CHART: Final = "karpenter/karpenter"
KARPENTER_IMAGE: Final = "karpenter/controller"
BALANCERS_IMAGE: Final = "eks/aws-load-balancer-controller"

# Name of the AWS Load Balancer Controller's chart and release.
BALANCERS_CHART: Final = "aws-load-balancer-controller"

# URL of that chart, which is in no registry.
# Source: https://github.com/aws/eks-charts/issues/1070, 2026-11
BALANCERS_CHARTS: Final = "https://aws.github.io/eks-charts"

# 2 to 30 characters. Source: the resource schema of AWS::ECR::PullThroughCacheRule, 2026-11
_PREFIX: Final = re.compile(
    r"(?=.{2,30}$)[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*"
)


@value
class AddonMirror:
    """Repositories of Amazon ECR from which add-ons are installed, instead of the internet.

    The repositories are in the region of the stack, which the VPC's endpoints reach. A repository
    of ECR Public has its name after the prefix, as a pull-through cache names it:
    ``ecr-public/karpenter/controller``. A chart that is in no registry has a repository of its name
    after ``<prefix>-charts``: ``ecr-public-charts/aws-load-balancer-controller``.
    ``AddonRegistry`` creates the repositories; you can also fill repositories of these names
    yourself.

    EKS' managed add-ons and EMR's charts and images are not in the mirror: they come from the
    registries of EKS and EMR in each region.

    Args:
        prefix: Beginning of the repositories' names, without a slash at its end: 2 to 30
            characters, as for a pull-through cache. Default ``ecr-public``, as ECR proposes.
        account: Account of the repositories, whose policies must let the platform's account pull.
            None: the account of the stack.

    Raises:
        ConfigError: If ECR does not accept the prefix, or the account is not 12 digits.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-creating-rule.html

    Example:
        >>> AddonMirror(prefix="mirror").repository("karpenter/controller")
        'mirror/karpenter/controller'
    """

    prefix: str = "ecr-public"
    account: str | None = None

    def _rules(self, check: Check) -> None:
        check.matches(
            "prefix",
            _PREFIX,
            "2 to 30 characters such as 'ecr-public': a-z, 0-9, and '._-/' between them",
        )
        check.matches("account", r"\d{12}", "an account id of 12 digits")

    @property
    def charts_prefix(self) -> str:
        """Beginning of the names of repositories for charts that are in no registry.

        It is not below the prefix, where a pull-through cache would look for them in ECR Public.
        """
        return f"{self.prefix}-charts"

    def repository(self, public: str) -> str:
        """Return the name of the repository that mirrors one of ECR Public."""
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

        The commands need helm, docker and internet access. The first pull through a cache can need
        internet access; later pulls do not. A cached image is pulled even when ECR cannot look for
        a newer one, so the platform's roles need no rights to import.

        Args:
            registry: Host of the registry; may be a token.
            region: Region of the registry; may be a token.
            karpenter: Version of Karpenter on the platform.
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
            # A pull through a cache copies all architectures of a tag.
            *(
                f"docker pull {registry}/{self.repository(image)}:{tag}"
                for image, tag in images.items()
            ),
            f"{pull} --version {load_balancer_controller}",
            f"helm push {archive} oci://{registry}/{self.charts_prefix}",
        )
