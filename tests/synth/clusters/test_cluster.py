"""The cluster, its add-ons, system nodes and administrators, and their order."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Annotations, Match

from cdk_emr_eks import versions
from cdk_emr_eks.clusters.cluster import ClusterSpec, ControlPlaneLogType
from cdk_emr_eks.clusters.managed_addons import (
    coredns_configuration,
    ebs_csi_configuration,
    vpc_cni_configuration,
)
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.networks.network import ExistingNetwork, Nat, NetworkSpec
from tests.synth.platforms.platform_parts import (
    Resources,
    add_cluster,
    add_network,
    needs,
    new_stack,
    of_type,
    only,
    resources,
)

_ADMIN = "arn:aws:iam::123456789012:role/admin"


@pytest.fixture(scope="module")
def found() -> Resources:
    stack = new_stack()
    cluster = add_cluster(
        stack,
        add_network(stack),
        admins=lambda scope: [iam.Role.from_role_arn(scope, "Admin", _ADMIN)],
    )
    assert cluster.security_group_selector == ({"tags": {"aws:eks:cluster-name": "demo"}},)
    return resources(stack)


def _one(found: Resources, kind: str) -> tuple[str, Mapping[str, object]]:
    (only,) = of_type(found, kind).items()
    return only


def _addon(found: Resources, name: str) -> tuple[str, Mapping[str, object]]:
    (only,) = (
        item for item in of_type(found, "AWS::EKS::Addon").items() if item[1]["AddonName"] == name
    )
    return only


def test_cluster_is_private_encrypted_logged_and_has_access_entries(found: Resources) -> None:
    _, cluster = _one(found, "AWS::EKS::Cluster")
    assert cluster["Version"] == versions.KUBERNETES
    assert cluster["Name"] == "demo"
    assert cluster["AccessConfig"] == {
        "AuthenticationMode": "API_AND_CONFIG_MAP",
        "BootstrapClusterCreatorAdminPermissions": False,
    }
    assert cluster["BootstrapSelfManagedAddons"] is False
    assert cluster["ComputeConfig"] == {"Enabled": False}
    access = cluster["ResourcesVpcConfig"]
    assert isinstance(access, Mapping)
    assert (access["EndpointPrivateAccess"], access["EndpointPublicAccess"]) == (True, False)
    assert all("NodeSubnet" in subnet["Ref"] for subnet in access["SubnetIds"])
    encryption = only(cluster["EncryptionConfig"])
    assert encryption["Resources"] == ["secrets"]
    types = cluster["Logging"]["ClusterLogging"]["EnabledTypes"]  # type: ignore[index]
    assert {each["Type"] for each in types} == {each.value for each in ControlPlaneLogType}


def test_control_plane_logs_go_into_a_group_that_is_there_before(found: Resources) -> None:
    groups = of_type(found, "AWS::Logs::LogGroup")
    (logical,) = (
        name for name, each in groups.items() if each["LogGroupName"] == "/aws/eks/demo/cluster"
    )
    assert groups[logical]["RetentionInDays"] == 90
    assert "KmsKeyId" in groups[logical]
    cluster, _ = _one(found, "AWS::EKS::Cluster")
    assert logical in needs(found, cluster)


def test_kubectl_logs_are_there_before_its_calls_and_after_them(found: Resources) -> None:
    # The function that deletes node pools would create a deleted group again.
    barrier, _ = _one(found, "AWS::SSM::Parameter")
    groups = {
        name
        for name, each in of_type(found, "AWS::Logs::LogGroup").items()
        if "/aws/lambda/" in str(each["LogGroupName"])
    }
    assert len(groups) == 2
    assert groups <= needs(found, barrier)


def test_nodes_trust_ec2_by_its_name_in_each_partition(found: Resources) -> None:
    group, _ = _one(found, "AWS::EKS::Nodegroup")
    (role,) = (each for each in needs(found, group) if "SystemNodesRole" in each)
    trust = of_type(found, "AWS::IAM::Role")[role]["AssumeRolePolicyDocument"]
    assert isinstance(trust, Mapping)
    assert only(trust["Statement"])["Principal"] == {
        "Service": {"Fn::Join": ["", ["ec2.", {"Ref": "AWS::URLSuffix"}]]}
    }


def test_kubectl_runs_in_private_subnets_with_enough_memory(found: Resources) -> None:
    functions = of_type(found, "AWS::Lambda::Function")
    assert len(functions) == 2
    assert all("VpcConfig" in each for each in functions.values())
    (handler,) = (each for each in functions.values() if each["Handler"] == "index.handler")
    assert int(str(handler["MemorySize"])) >= 1024


def test_admins_have_entries_with_eks_own_policy_and_nothing_else_has(found: Resources) -> None:
    entries = list(of_type(found, "AWS::EKS::AccessEntry").values())
    principals = [each["PrincipalArn"] for each in entries]
    assert _ADMIN in principals
    # The other is the kubectl handler's.
    assert len(principals) == 2
    for entry in entries:
        assert "KubernetesGroups" not in entry
        policy = only(entry["AccessPolicies"])
        assert policy["AccessScope"] == {"Type": "cluster"}
        assert policy["PolicyArn"]["Fn::Join"][1][-1] == (
            ":eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
        )


def test_role_given_twice_is_refused() -> None:
    stack = new_stack()
    role = iam.Role.from_role_arn(stack, "Admin", _ADMIN)
    with pytest.raises(ConfigError) as caught:
        add_cluster(stack, add_network(stack), admins=lambda _: [role, role])
    assert str(caught.value) == (
        "Administrators of Platform/demo-cluster/Admins: admins must have each role once, "
        "got 'Platform/Admin'."
    )


def test_addons_are_pinned(found: Resources) -> None:
    made = {
        str(each["AddonName"]): each["AddonVersion"]
        for each in of_type(found, "AWS::EKS::Addon").values()
    }
    assert made == versions.EKS_ADDONS[versions.KUBERNETES]


def test_networking_comes_before_nodes_and_the_rest_after(found: Resources) -> None:
    group, _ = _one(found, "AWS::EKS::Nodegroup")
    before = needs(found, group)
    for name in ("vpc-cni", "kube-proxy", "eks-pod-identity-agent"):
        logical, _ = _addon(found, name)
        assert logical in before
        assert group not in needs(found, logical)
    for name in ("coredns", "aws-ebs-csi-driver", "metrics-server"):
        logical, _ = _addon(found, name)
        assert group in needs(found, logical)


def test_vpc_cni_has_credentials_and_pod_subnets_before_it_starts(found: Resources) -> None:
    cni, _ = _addon(found, "vpc-cni")
    agent, _ = _addon(found, "eks-pod-identity-agent")
    before = needs(found, cni)
    assert agent in before
    reservations = of_type(found, "AWS::EC2::SubnetCidrReservation")
    assert len(reservations) == 6
    assert set(reservations) <= before
    associations = of_type(found, "AWS::EC2::SubnetRouteTableAssociation")
    assert set(associations) <= before


def test_vpc_cni_names_an_eni_config_after_each_zone_token(found: Resources) -> None:
    _, cni = _addon(found, "vpc-cni")
    parts = cni["ConfigurationValues"]["Fn::Join"][1]  # type: ignore[index]
    text = "".join(_stand_in(part) for part in parts)
    values = json.loads(text)
    assert values["enableNetworkPolicy"] == "true"
    assert values["env"] == {
        "ENABLE_PREFIX_DELEGATION": "true",
        "WARM_PREFIX_TARGET": "1",
        "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true",
        "ENI_CONFIG_LABEL_DEF": "topology.kubernetes.io/zone",
    }
    config = values["eniConfig"]
    assert config["create"] is True
    assert config["region"] == "AWS::Region"
    assert list(config["subnets"]) == ["zone 0", "zone 1", "zone 2"]
    for index, subnet in enumerate(config["subnets"].values(), 1):
        assert f"Podszone{index}" in subnet["id"]
        (group,) = subnet["securityGroups"]
        assert group.endswith("ClusterSecurityGroupId")


def _stand_in(part: object) -> str:
    if isinstance(part, str):
        return part
    assert isinstance(part, Mapping)
    if "Ref" in part:
        return str(part["Ref"])
    if "Fn::Select" in part:
        return f"zone {part['Fn::Select'][0]}"
    return ".".join(part["Fn::GetAtt"])


def test_without_pod_subnets_there_is_no_custom_networking() -> None:
    values = vpc_cni_configuration({}, "eu-west-1", "sg-1")
    assert "eniConfig" not in values
    assert values["env"] == {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"}


def test_addon_pods_go_to_the_system_nodes() -> None:
    controller = ebs_csi_configuration("demo")["controller"]
    assert isinstance(controller, Mapping)
    for values in (coredns_configuration(), controller):
        assert values["nodeSelector"] == {"emr-eks/system": "true"}
        assert values["tolerations"] == [
            {"key": "emr-eks/system", "operator": "Exists", "effect": "NoSchedule"}
        ]
    assert controller["k8sTagClusterId"] == "demo"
    assert coredns_configuration()["autoScaling"] == {
        "enabled": True,
        "minReplicas": 2,
        "maxReplicas": 10,
    }


def cluster_of(arn: Mapping[str, list[list[object]]]) -> str:
    """The name at the end of a cluster's ARN in this account and region."""
    parts = arn["Fn::Join"][1]
    assert {"Ref": "AWS::Region"} in parts
    assert {"Ref": "AWS::AccountId"} in parts
    return str(parts[-1]).removeprefix(":cluster/")


def test_only_this_cluster_of_this_account_may_be_eks(found: Resources) -> None:
    (trust,) = [
        statement
        for role in of_type(found, "AWS::IAM::Role").values()
        for statement in role["AssumeRolePolicyDocument"]["Statement"]  # type: ignore[index]
        if statement["Principal"] == {"Service": "eks.amazonaws.com"}
    ]
    condition = trust["Condition"]
    assert condition["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert cluster_of(condition["ArnEquals"]["aws:SourceArn"]) == "demo"


def test_addon_roles_trust_one_service_account_of_this_cluster(found: Resources) -> None:
    trusts: dict[str, str] = {}
    for role in of_type(found, "AWS::IAM::Role").values():
        document = role["AssumeRolePolicyDocument"]
        assert isinstance(document, Mapping)
        (statement,) = document["Statement"]
        if statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}:
            tags = statement["Condition"]["StringEquals"]
            assert cluster_of(tags["aws:RequestTag/eks-cluster-arn"]) == "demo"
            assert tags["aws:RequestTag/kubernetes-namespace"] == "kube-system"
            policy = only(role["ManagedPolicyArns"])
            (account,) = tags["aws:RequestTag/kubernetes-service-account"]
            trusts[account] = policy["Fn::Join"][1][-1].rpartition("/")[2]
    assert trusts == {
        "aws-node": "AmazonEKS_CNI_Policy",
        "ebs-csi-controller-sa": "AmazonEBSCSIDriverEKSClusterScopedPolicy",
    }


def test_system_nodes_are_tainted_arm_hardened_and_in_node_subnets(found: Resources) -> None:
    _, group = _one(found, "AWS::EKS::Nodegroup")
    assert group["AmiType"] == "AL2023_ARM_64_STANDARD"
    assert group["CapacityType"] == "ON_DEMAND"
    assert group["Labels"] == {"emr-eks/system": "true"}
    assert group["Taints"] == [{"Effect": "NO_SCHEDULE", "Key": "emr-eks/system", "Value": "true"}]
    assert group["ScalingConfig"] == {"MinSize": 2, "DesiredSize": 2, "MaxSize": 5}
    assert all("NodeSubnet" in each["Ref"] for each in group["Subnets"])  # type: ignore[attr-defined]
    _, template = _one(found, "AWS::EC2::LaunchTemplate")
    data = template["LaunchTemplateData"]
    assert isinstance(data, Mapping)
    assert data["MetadataOptions"] == {
        "HttpEndpoint": "enabled",
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": 1,
    }
    (disk,) = data["BlockDeviceMappings"]
    assert disk["Ebs"]["Encrypted"] is True
    assert disk["Ebs"]["VolumeType"] == "gp3"


def test_system_nodes_role_has_no_right_of_the_vpc_cni(found: Resources) -> None:
    _, group = _one(found, "AWS::EKS::Nodegroup")
    logical = group["NodeRole"]["Fn::GetAtt"][0]  # type: ignore[index]
    role = of_type(found, "AWS::IAM::Role")[logical]
    policies = role["ManagedPolicyArns"]
    names = [each["Fn::Join"][1][-1].rpartition("/")[2] for each in policies]  # type: ignore[attr-defined]
    assert names == ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"]
    assert "Policies" not in role


def test_share_of_the_base_platforms_roles_and_functions(found: Resources) -> None:
    # Of 12 and 4 for the whole base platform.
    assert len(of_type(found, "AWS::IAM::Role")) == 7
    assert len(of_type(found, "AWS::Lambda::Function")) == 2


def test_public_access_is_for_the_given_blocks_and_private_access_stays() -> None:
    stack = new_stack()
    spec = ClusterSpec(name="demo", public_access_cidrs=("203.0.113.0/24",), log_types=())
    add_cluster(stack, add_network(stack, NetworkSpec(flow_logs=False)), spec)
    _, cluster = _one(resources(stack), "AWS::EKS::Cluster")
    access = cluster["ResourcesVpcConfig"]
    assert isinstance(access, Mapping)
    assert access["EndpointPrivateAccess"] is True
    assert access["PublicAccessCidrs"] == ["203.0.113.0/24"]
    Annotations.from_stack(stack).has_warning("*", Match.string_like_regexp("No IAM role can use"))


def test_endpoints_outlive_the_cluster_in_a_vpc_without_nat() -> None:
    stack = new_stack()
    spec = NetworkSpec(nat=Nat.NONE, interface_endpoints=True, zones=2)
    add_cluster(stack, add_network(stack, spec))
    found = resources(stack)
    cluster, properties = _one(found, "AWS::EKS::Cluster")
    assert set(of_type(found, "AWS::EC2::VPCEndpoint")) <= needs(found, cluster)
    assert len(properties["ResourcesVpcConfig"]["SubnetIds"]) == 2  # type: ignore[index]


def test_two_clusters_in_one_stack_and_one_existing_vpc() -> None:
    stack = new_stack()
    network = add_network(stack, ExistingNetwork(vpc=ec2.Vpc(stack, "Vpc", max_azs=2)))
    add_cluster(stack, network, ClusterSpec(name="first"))
    add_cluster(stack, network, ClusterSpec(name="second"))
    found = resources(stack)
    names = {each["Name"] for each in of_type(found, "AWS::EKS::Cluster").values()}
    assert names == {"first", "second"}
    for each in of_type(found, "AWS::EKS::Addon").values():
        if each["AddonName"] == "vpc-cni":
            assert "eniConfig" not in str(each["ConfigurationValues"])


def test_missing_kubectl_layer_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = new_stack()
    network = add_network(stack, NetworkSpec(flow_logs=False))
    monkeypatch.setitem(sys.modules, "aws_cdk.lambda_layer_kubectl_v35", None)
    with pytest.raises(ConfigError) as caught:
        add_cluster(stack, network, ClusterSpec(name="demo", version="1.35"))
    assert str(caught.value) == (
        "ClusterSpec: version must have its kubectl layer installed, got '1.35'; "
        "pip install aws-cdk.lambda-layer-kubectl-v35."
    )
