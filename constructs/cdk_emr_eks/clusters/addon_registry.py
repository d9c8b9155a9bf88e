"""``AddonRegistry``: ECR repositories of add-ons, for platforms without internet access."""

from __future__ import annotations

from typing import Final

from aws_cdk import Aws, CfnOutput, RemovalPolicy, Stack, Token
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from cdk_emr_eks.errors import refuse
from cdk_emr_eks.field_types import check_argument
from cdk_emr_eks.model.clusters.addon_mirror import BALANCERS_CHART, PUBLIC_REGISTRY, AddonMirror
from cdk_emr_eks.security.suppressions import skip_checkov
from cdk_emr_eks.versions import KARPENTER, LOAD_BALANCER_CONTROLLER

# Beginnings of regions without pull-through caches.
# Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html, 2026-11.
_WITHOUT_CACHE: Final = ("cn-", "us-gov-")


def mirror_host(mirror: AddonMirror) -> str:
    """Return the host of a mirror's registry in the stack's region, a token."""
    account = mirror.account or Aws.ACCOUNT_ID
    return f"{account}.dkr.ecr.{Aws.REGION}.{Aws.URL_SUFFIX}"


class AddonRegistry(Construct):
    """The repositories of an ``AddonMirror`` in this account, for a platform without NAT.

    Put it into a separate stack. Deploy that stack, run the commands of the output ``FillCommands``
    on a machine with internet access, then deploy the platform with ``ClusterSpec(mirror=...)``.
    The first pull of an image can need internet access, which the VPC does not have. Run the
    commands again before you deploy another version of Karpenter or of the load balancer
    controller.

    Resources: one ``AWS::ECR::PullThroughCacheRule`` for ECR Public, and one
    ``AWS::ECR::Repository`` for the chart of the AWS Load Balancer Controller, which no registry
    has. ECR creates the repositories of the cache, and they stay when the stack is deleted.

    Stack outputs: ``FillCommands``, shell commands.

    Args:
        mirror: Names of the repositories.
        karpenter: Version of Karpenter in the commands.
        load_balancer_controller: Version of the AWS Load Balancer Controller in the commands.

    Attributes:
        mirror: As given, for ``ClusterSpec(mirror=...)``.

    Raises:
        ConfigError: If the mirror is in another account, or the stack in a region of China or
            GovCloud, where ECR has no pull-through cache. Create and fill repositories there.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        mirror: AddonMirror | None = None,
        karpenter: str = KARPENTER,
        load_balancer_controller: str = LOAD_BALANCER_CONTROLLER,
    ) -> None:
        check_argument("AddonRegistry", "mirror", AddonMirror | None, mirror)
        check_argument("AddonRegistry", "karpenter", str, karpenter)
        given = load_balancer_controller
        check_argument("AddonRegistry", "load_balancer_controller", str, given)
        chosen = mirror or AddonMirror()
        if chosen.account is not None:
            rule = "must be of the stack's own account (None)"
            fix = "create the registry in a stack of that account, and pass its mirror on"
            raise refuse("AddonRegistry", "mirror.account", rule, chosen.account, fix)
        region = Stack.of(scope).region
        if not Token.is_unresolved(region) and region.startswith(_WITHOUT_CACHE):
            rule = "must be a region where ECR has pull-through caches (not China, not GovCloud)"
            fix = "copy charts and images into repositories of AddonMirror's names"
            raise refuse("AddonRegistry", "region", rule, region, fix)
        super().__init__(scope, id)
        self.mirror = chosen
        ecr.CfnPullThroughCacheRule(
            self,
            "Cache",
            ecr_repository_prefix=chosen.prefix,
            upstream_registry_url=PUBLIC_REGISTRY,
        )
        self._chart_repository()
        commands = chosen.fill_commands(
            mirror_host(chosen),
            region=Aws.REGION,
            karpenter=karpenter,
            load_balancer_controller=given,
        )
        CfnOutput(
            self,
            "FillCommands",
            value="\n".join(commands),
            description="Run where the internet is reached, before the platform is deployed",
        )

    def _chart_repository(self) -> None:
        repository = ecr.CfnRepository(
            self,
            "BalancersChart",
            repository_name=self.mirror.chart(BALANCERS_CHART),
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration={"scanOnPush": True},
            # A copy of a public chart, so nothing is lost.
            empty_on_delete=True,
        )
        repository.apply_removal_policy(RemovalPolicy.DESTROY)
        why = "A public chart: ECR's own encryption at rest keeps nothing secret"
        skip_checkov(repository, {"CKV_AWS_136": why})
