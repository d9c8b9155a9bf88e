"""The add-on's options, checked; and the chart's values that follow from them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from constructs import Construct

from cdk_emr_eks.addons.karpenter.installation import InstalledKarpenter
from cdk_emr_eks.addons.karpenter.policies import check_sizes
from cdk_emr_eks.addons.karpenter.values import (
    FeatureGates,
    KarpenterLogLevel,
    SchedulingBatch,
    Surroundings,
    mirrored,
    placement,
    settings,
)
from cdk_emr_eks.addons.protocol import AddonContext
from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.model.instances.instances import Resources
from cdk_emr_eks.names import cluster_name as check_cluster_name
from cdk_emr_eks.units import Cpu, Memory
from cdk_emr_eks.versions import KARPENTER

_VERSION: Final = re.compile(r"1\.(\d+)\.\d+")
_OLDEST_MINOR: Final = 14
# The values, policies and CRDs that the library knows are those of 1.14.
_RESOURCES: Final = Resources(Cpu.cores(1), Memory.from_gib(2))
_LEAST: Final = Resources(Cpu(500), Memory(512))


@dataclass(frozen=True, kw_only=True, slots=True)
class Karpenter:
    """Karpenter: buys the nodes that pending pods need, and gives back those nobody needs.

    Two charts, its CRDs on their own: Helm never upgrades CRDs that stand in a chart's ``crds``.
    The controller runs on system nodes with rights by Pod Identity.

    Args:
        version: Version of both charts, 1.14.0 or newer. Default: the one in versions.py.
        replicas: Controllers, one of which leads; zones share them evenly. Default 2.
        resources: CPU request, and memory request and limit, of a controller. CPU sets how much it
            does at once, so a large cluster wants more; it is not limited. Default 1 core, as in
            upstream's guide, and 2 GiB: the guide has 1 for a small cluster, upstream's own tests
            run with 3.
        batch: When a round of scheduling starts. See ``SchedulingBatch``.
        feature_gates: Features on and off. Default: as upstream.
        log_level: Default info.
        zonal_shift: Launch nothing in a zone that is shifted away from. The cluster must have zonal
            shift enabled, too. Default False.
        isolated_vpc: Whether nodes reach AWS by VPC endpoints only; then Karpenter asks for no
            prices and makes no instance profiles, since neither API has an endpoint in every
            Region: it keeps the prices of its release, and its nodes get an instance profile of the
            stack. Default False; ``EmrEksCluster`` sets it with ``Nat.NONE``.
        session_manager: Allow shells on nodes by SSM Session Manager. Default False: its policy
            lets whoever breaks into a node read every parameter of the account.
        create_spot_role: Make the role by which EC2 runs spot instances,
            AWSServiceRoleForEC2Spot. An account has it once it used spot; creating it again fails,
            so the default is False.

    Raises:
        ConfigError: If the version is none that the library knows, there is no replica, a
            controller gets too little to run, or the log level is none.

    Source: https://karpenter.sh/v1.14/reference/settings/, 2026-11.

    Example:
        >>> Karpenter(resources=Resources(Cpu.cores(2), Memory.from_gib(4))).replicas
        2
    """

    version: str = KARPENTER
    replicas: int = 2
    resources: Resources = _RESOURCES
    batch: SchedulingBatch = field(default_factory=SchedulingBatch)
    feature_gates: FeatureGates = field(default_factory=FeatureGates)
    log_level: KarpenterLogLevel = KarpenterLogLevel.INFO
    zonal_shift: bool = False
    isolated_vpc: bool = False
    session_manager: bool = False
    create_spot_role: bool = False

    def __post_init__(self) -> None:
        check_types("Karpenter", self)
        problems = Problems("Karpenter")
        match = _VERSION.fullmatch(self.version)
        known = match is not None and int(match[1]) >= _OLDEST_MINOR
        rule = f"must be a release such as {KARPENTER!r}, 1.{_OLDEST_MINOR}.0 or newer, below 2"
        problems.require(known, "version", rule, self.version)
        problems.require(self.replicas >= 1, "replicas", "must be 1 or more", self.replicas)
        cpu, memory = self.resources
        rule = f"must be at least {_LEAST.cpu.kubernetes}"
        problems.require(cpu >= _LEAST.cpu, "resources.cpu", rule, cpu.kubernetes)
        rule = f"must be at least {_LEAST.memory.kubernetes}"
        problems.require(memory >= _LEAST.memory, "resources.memory", rule, memory.kubernetes)
        problems.raise_if_any()

    @property
    def name(self) -> str:
        """Name of the add-on, and id of its construct."""
        return "Karpenter"

    @property
    def requires(self) -> tuple[str, ...]:
        """Nothing: the cluster itself has the Pod Identity agent and the system nodes."""
        return ()

    def install(self, scope: Construct, context: AddonContext) -> InstalledKarpenter:
        """Install Karpenter; what it returns has the role of its nodes.

        Raises:
            ConfigError: If the cluster's name is a token, or so long that a policy of the
                controller is over IAM's limit.
        """
        problems = Problems("Karpenter")
        problems.extend(check_cluster_name("cluster_name", context.cluster_name))
        problems.raise_if_any()
        check_sizes(context.cluster_name, zonal_shift=self.zonal_shift)
        return InstalledKarpenter(
            scope,
            self.name,
            context=context,
            version=self.version,
            values=self.values,
            zonal_shift=self.zonal_shift,
            isolated_vpc=self.isolated_vpc,
            session_manager=self.session_manager,
            create_spot_role=self.create_spot_role,
        )

    def values(self, around: Surroundings) -> Mapping[str, object]:
        """Return the values of the chart ``karpenter`` for a cluster."""
        cpu, memory = self.resources.cpu.kubernetes, self.resources.memory.kubernetes
        return {
            "replicas": self.replicas,
            "logLevel": str(self.log_level),
            # The VPC's resolver: when Spark jobs overload CoreDNS, nodes must come all the same.
            "dnsPolicy": "Default",
            **placement(around),
            "controller": {
                **mirrored(around),
                # Without it the controller asks the metadata service, one hop too far for a pod.
                "env": [{"name": "AWS_REGION", "value": around.region}],
                "resources": {
                    "requests": {"cpu": cpu, "memory": memory},
                    # No CPU limit: a thousand pending pods are a burst of work.
                    "limits": {"memory": memory},
                },
            },
            "settings": {
                **settings(around),
                **self.batch.values(),
                "enableZonalShift": self.zonal_shift,
                "isolatedVPC": self.isolated_vpc,
                "featureGates": self.feature_gates.values(),
            },
        }
