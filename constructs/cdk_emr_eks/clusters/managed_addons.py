"""EKS managed add-ons: networking before the nodes, the others after them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import Aws
from aws_cdk import aws_eks as eks_l1
from aws_cdk import aws_iam as iam
from constructs import Construct, DependencyGroup

from cdk_emr_eks import labels
from cdk_emr_eks.model.clusters.cluster import SYSTEM_SELECTOR, SYSTEM_TOLERATIONS, ClusterSpec
from cdk_emr_eks.model.instances.instances import DAEMONSET_REQUESTS
from cdk_emr_eks.networks.network import Network
from cdk_emr_eks.security.iam import pod_identity_trust
from cdk_emr_eks.security.suppressions import managed_policy, suppress

_NAMESPACE = "kube-system"
_ZONE_SPREAD = {
    "maxSkew": 1,
    "topologyKey": labels.ZONE,
    # If a zone fails, DNS must still run in the others.
    "whenUnsatisfiable": "ScheduleAnyway",
}
_ON_SYSTEM_NODES: Mapping[str, object] = {
    "nodeSelector": dict(SYSTEM_SELECTOR),
    "tolerations": [dict(toleration) for toleration in SYSTEM_TOLERATIONS],
}


class NetworkAddons(Construct):
    """The add-ons that a node needs to become Ready: Pod Identity agent, VPC CNI, kube-proxy.

    Resources: three ``AWS::EKS::Addon`` and the VPC CNI's role.

    Args:
        cluster_name: Name of the cluster; may be a token.
        spec: Versions of the add-ons, and the cluster's literal name.
        network: Pod subnets, which make the VPC CNI use custom networking.
        security_group_id: Security group of pods' interfaces, the same as of the nodes.

    Attributes:
        ready: Dependency of the nodes.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cluster_name: str,
        spec: ClusterSpec,
        network: Network,
        security_group_id: str,
    ) -> None:
        super().__init__(scope, id)
        agent = _addon(self, "eks-pod-identity-agent", cluster_name, spec, None)
        proxy = _addon(self, "kube-proxy", cluster_name, spec, _with_requests("kube-proxy", {}))
        role = _role(self, "VpcCniRole", spec, "aws-node", "AmazonEKS_CNI_Policy")
        subnets = {
            zone.name: subnet.subnet_id
            for zone, subnet in zip(network.zones, network.pod_subnets, strict=False)
        }
        cni = _addon(
            self,
            "vpc-cni",
            cluster_name,
            spec,
            vpc_cni_configuration(subnets, Aws.REGION, security_group_id),
            association=("aws-node", role),
        )
        cni.add_resource_dependency(agent)
        self.ready = DependencyGroup(agent, proxy, cni)


class SystemAddons(Construct):
    """The add-ons on the system nodes: CoreDNS, EBS CSI driver, metrics server.

    Resources: three ``AWS::EKS::Addon`` and the EBS driver's role.

    Args:
        cluster_name: Name of the cluster; may be a token.
        spec: Versions of the add-ons, and the cluster's literal name.
    """

    def __init__(self, scope: Construct, id: str, *, cluster_name: str, spec: ClusterSpec) -> None:
        super().__init__(scope, id)
        _addon(self, "coredns", cluster_name, spec, coredns_configuration())
        role = _role(
            self,
            "EbsCsiRole",
            spec,
            "ebs-csi-controller-sa",
            "AmazonEBSCSIDriverEKSClusterScopedPolicy",
        )
        _addon(
            self,
            "aws-ebs-csi-driver",
            cluster_name,
            spec,
            ebs_csi_configuration(spec.name),
            association=("ebs-csi-controller-sa", role),
        )
        metrics = {**_ON_SYSTEM_NODES, "replicas": 2}
        _addon(self, "metrics-server", cluster_name, spec, metrics)


def vpc_cni_configuration(
    pod_subnets: Mapping[str, str], region: str, security_group_id: str
) -> Mapping[str, object]:
    """Return the VPC CNI's configuration.

    It has prefixes of 16 addresses instead of single ones, and network policies. With pod subnets
    it has an ENIConfig for each zone, which nodes find by their zone label.

    Args:
        pod_subnets: Ids of pod subnets by zone name; keys and values may be tokens. Empty: pods
            share the node subnets.
        region: The region; may be a token.
        security_group_id: Security group of pods' interfaces; may be a token.

    Source: https://github.com/aws/amazon-vpc-cni-k8s/blob/v1.23.1/charts/aws-vpc-cni/values.yaml
    """
    env = {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"}
    values: dict[str, object] = {"env": env, "enableNetworkPolicy": "true"}
    if pod_subnets:
        env["AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG"] = "true"
        env["ENI_CONFIG_LABEL_DEF"] = labels.ZONE
        values["eniConfig"] = {
            "create": True,
            "region": region,
            "subnets": {
                zone: {"id": subnet, "securityGroups": [security_group_id]}
                for zone, subnet in pod_subnets.items()
            },
        }
    return _with_requests("vpc-cni", values)


def coredns_configuration() -> Mapping[str, object]:
    """Return CoreDNS's configuration: on system nodes, scaled by EKS, spread over zones.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/coredns-autoscaling.html
    """
    selector = {"matchLabels": {"k8s-app": "kube-dns"}}
    return {
        **_ON_SYSTEM_NODES,
        "autoScaling": {"enabled": True, "minReplicas": 2, "maxReplicas": 10},
        "topologySpreadConstraints": [{**_ZONE_SPREAD, "labelSelector": selector}],
    }


def ebs_csi_configuration(cluster_name: str) -> Mapping[str, object]:
    """Return the EBS driver's configuration.

    The controller runs on system nodes. It tags volumes with the cluster's name, and its policy is
    limited to volumes with that tag.

    Args:
        cluster_name: Literal name of the cluster.

    Source: https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/tagging.md
    """
    controller = {
        **_ON_SYSTEM_NODES,
        "k8sTagClusterId": cluster_name,
        "topologySpreadConstraints": [_ZONE_SPREAD],
    }
    return {"controller": controller, "node": _with_requests("aws-ebs-csi-driver", {})}


def _with_requests(addon: str, values: Mapping[str, object]) -> Mapping[str, object]:
    # Executor sizes depend on these requests, so they are set and not left to the add-on. If an
    # add-on has no setting for a container, the table has at least the add-on's request.
    request = next(each for each in DAEMONSET_REQUESTS if each.addon == addon)
    amounts = {"cpu": request.cpu.kubernetes, "memory": request.memory.kubernetes}
    return {**values, "resources": {"requests": amounts}}


def _role(
    scope: Construct, id: str, spec: ClusterSpec, service_account: str, policy: str
) -> iam.CfnRole:
    arn = f"arn:{Aws.PARTITION}:iam::aws:policy/{policy}"
    role = iam.CfnRole(
        scope,
        id,
        assume_role_policy_document=pod_identity_trust(
            cluster_name=spec.name,
            namespace=_NAMESPACE,
            service_accounts=[service_account],
        ),
        managed_policy_arns=[arn],
    )
    reason = "AWS's own policy for the add-on moves with the add-on's versions"
    suppress(role, {managed_policy(role, arn): reason})
    return role


def _addon(
    scope: Construct,
    name: str,
    cluster_name: str,
    spec: ClusterSpec,
    configuration: Mapping[str, object] | None,
    *,
    association: tuple[str, iam.CfnRole] | None = None,
) -> eks_l1.CfnAddon:
    associations = None
    if association is not None:
        account, role = association
        associations = [
            eks_l1.CfnAddon.PodIdentityAssociationProperty(
                service_account=account, role_arn=role.attr_arn
            )
        ]
    return eks_l1.CfnAddon(
        scope,
        name,
        addon_name=name,
        addon_version=spec.addon_version(name),
        cluster_name=cluster_name,
        configuration_values=None if configuration is None else _text(configuration),
        pod_identity_associations=associations,
        resolve_conflicts="OVERWRITE",
    )


def _text(configuration: Mapping[str, object]) -> str:
    # Tokens in the text need no quotes: they are names of zones, and ids.
    return json.dumps(configuration, separators=(",", ":"))
