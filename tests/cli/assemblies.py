"""Writes small cloud assemblies out of specs, without an app and without Node."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from cdk_emr_eks.assembly import open_assembly
from cdk_emr_eks.model.jobs.job_config import job_configuration
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.nodes.node_pool import node_pools
from cdk_emr_eks.model.nodes.zone_pool import zone_pool
from cdk_emr_eks.model.workloads.catalog import DEFAULT_WORKLOADS
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.plan import Plan, read_plan

Resources = dict[str, Mapping[str, object]]

AGNOSTIC = {"Fn::Select": [1, {"Fn::GetAZs": ""}]}
CLUSTER = {"Ref": "Cluster1234"}
ACCOUNTS = "emr-containers-sa-spark-driver-111122223333-*"


def resource(kind: str, /, **properties: object) -> Mapping[str, object]:
    return {"Type": kind, "Properties": properties}


def manifest(*objects: Mapping[str, object]) -> Mapping[str, object]:
    """A KubernetesManifest as CDK writes it: JSON text, tokens between joined pieces."""
    text = json.dumps([*objects])
    pieces = text.split('"@cluster@"')
    joined: list[object] = []
    for number, piece in enumerate(pieces):
        if number:
            joined += ['"', CLUSTER, '"']
        joined.append(piece)
    value: object = {"Fn::Join": ["", joined]} if len(pieces) > 1 else text
    return resource("Custom::AWSCDK-EKS-KubernetesResource", Manifest=value, ClusterName=CLUSTER)


def plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def pools(
    workloads: Sequence[Workload] = DEFAULT_WORKLOADS,
    zones: Sequence[str] = ("us-east-1a", "us-east-1b", "us-east-1c"),
) -> Mapping[str, object]:
    places = tuple(Zone.named(zone) for zone in zones)
    items = [pool.manifest() for each in workloads for pool in node_pools(each, places)]
    items.append(zone_pool(places, "emr-ebs"))
    return manifest(*[plain(item) for item in items])  # type: ignore[arg-type]


def network() -> Resources:
    found: Resources = {}
    for number, letter in enumerate("abc"):
        found[f"Nodes{number}"] = resource(
            "AWS::EC2::Subnet",
            AvailabilityZone=f"us-east-1{letter}",
            CidrBlock=f"10.0.{64 * (number + 1)}.0/18",
        )
        found[f"Pods{number}"] = resource(
            "AWS::EC2::Subnet",
            AvailabilityZone=f"us-east-1{letter}",
            CidrBlock=f"100.64.{64 * number}.0/18",
        )
        for part, block in enumerate(
            (f"100.64.{64 * number + 16}.0/20", f"100.64.{64 * number + 32}.0/19")
        ):
            found[f"Reserved{number}{part}"] = resource(
                "AWS::EC2::SubnetCidrReservation",
                SubnetId={"Ref": f"Pods{number}"},
                Cidr=block,
                ReservationType="prefix",
            )
    return found


def cluster() -> Resources:
    return {
        "Cluster1234": resource("AWS::EKS::Cluster", Name="emr-on-eks", Version="1.36"),
        "Cni": resource(
            "AWS::EKS::Addon",
            ClusterName=CLUSTER,
            AddonName="vpc-cni",
            AddonVersion="v1.21.1-eksbuild.1",
            ConfigurationValues='{"env": {"ENABLE_PREFIX_DELEGATION": "true"}}',
        ),
        "Dns": resource("AWS::EKS::Addon", ClusterName=CLUSTER, AddonName="coredns"),
        "Karpenter": resource(
            "Custom::AWSCDK-EKS-HelmChart",
            ClusterName=CLUSTER,
            Release="karpenter",
            Chart="karpenter",
            Version="1.14.1",
            Namespace="kube-system",
            Values={"Fn::Join": ["", ['{"settings":{"clusterName":"', CLUSTER, '"}}']]},
        ),
        "Handler": resource("AWS::Lambda::Function"),
        "HandlerRole": resource("AWS::IAM::Role"),
    }


def tenant(name: str = "analytics", cpu: str = "400", irsa: bool = False) -> Resources:
    """A tenant's resources: Pod Identity, or a trust whose keys are tokens and so is JSON text."""
    subject = f"system:serviceaccount:{name}:{ACCOUNTS}"
    trust = {
        "Fn::Join": [
            "",
            ['{"Statement":[{"Condition":{"StringLike":{"', CLUSTER, f':sub":"{subject}"}}}}}}]}}'],
        ]
    }
    found: Resources = {
        f"{name}Objects": manifest(
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": name, "labels": {"emr-eks/tenant": name, "c": "@cluster@"}},
            },
            {
                "apiVersion": "v1",
                "kind": "ResourceQuota",
                "metadata": {"name": "quota", "namespace": name},
                "spec": {"hard": {"requests.cpu": cpu, "requests.memory": "1600Gi", "pods": 500}},
            },
        ),
        f"{name}Vc": resource(
            "AWS::EMRContainers::VirtualCluster",
            Name=f"{name}-vc",
            ContainerProvider={
                "Type": "EKS",
                "Id": CLUSTER,
                "Info": {"EksInfo": {"Namespace": name}},
            },
        ),
        f"{name}Role": resource(
            "AWS::IAM::Role",
            RoleName=f"emr-{name}",
            AssumeRolePolicyDocument=trust if irsa else {"Statement": []},
        ),
    }
    if not irsa:
        for pod in ("spark-client", "spark-driver", "spark-executor"):
            found[f"{name}{pod}"] = resource(
                "AWS::EKS::PodIdentityAssociation",
                ClusterName=CLUSTER,
                Namespace=name,
                ServiceAccount=f"emr-containers-sa-{pod}-111122223333-abc",
                RoleArn={"Fn::GetAtt": [f"{name}Role", "Arn"]},
            )
    return found


def job_output(workload: Workload) -> Mapping[str, object]:
    configuration = job_configuration(
        workload,
        driver_template_uri="s3://assets-${Account}/driver.yaml",
        executor_template_uri="s3://assets/executor.yaml",
        log_group="/emr-on-eks/analytics",
        log_stream_prefix=workload.name,
    )
    text = json.dumps(plain(configuration)).replace("${Account}", "@")
    before, after = text.split("@")
    return {"Value": {"Fn::Join": ["", [before, {"Ref": "AWS::AccountId"}, after]]}}


def platform(**more: Mapping[str, object]) -> Mapping[str, object]:
    """The template of a whole platform."""
    return {
        "Resources": {**network(), **cluster(), "Pools": pools(), **tenant(), **more},
        "Outputs": {f"{each.name}Config": job_output(each) for each in DEFAULT_WORKLOADS},
    }


def plan_of(folder: Path) -> Plan:
    return read_plan(open_assembly(folder))


def write(
    folder: Path,
    stacks: Mapping[str, Mapping[str, object]],
    metadata: Mapping[str, object] | None = None,
) -> Path:
    """Write a cloud assembly as CDK lays it out; ``metadata`` is that of the first stack."""
    folder.mkdir(parents=True, exist_ok=True)
    artifacts: dict[str, object] = {"Tree": {"type": "cdk:tree", "properties": {"file": "t.json"}}}
    for number, (name, template) in enumerate(stacks.items()):
        (folder / f"{name}.template.json").write_text(json.dumps(plain(template)))
        artifact: dict[str, object] = {
            "type": "aws:cloudformation:stack",
            "environment": "aws://unknown-account/unknown-region",
            "properties": {"templateFile": f"{name}.template.json"},
            "displayName": name,
        }
        if metadata and not number:
            (folder / f"{name}.metadata.json").write_text(json.dumps(metadata))
            artifact["additionalMetadataFile"] = f"{name}.metadata.json"
        artifacts[name] = artifact
    content = {"version": "55.0.0", "artifacts": artifacts}
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder
