"""Write small cloud assemblies, as ``cdk synth`` does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

TRUST: Final = {"Version": "2012-10-17", "Statement": []}
# The least that a deployment takes.
CLUSTER: Final[Mapping[str, Any]] = {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.1.0.0/16"}},
    "Subnet": {
        "Type": "AWS::EC2::Subnet",
        "Properties": {
            "VpcId": {"Ref": "Vpc"},
            "CidrBlock": {"Fn::Select": [0, {"Fn::Cidr": ["10.1.0.0/16", 1, 8]}]},
            "AvailabilityZone": {"Fn::Select": [0, {"Fn::GetAZs": ""}]},
        },
    },
    "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
    "Cluster": {
        "Type": "AWS::EKS::Cluster",
        "Properties": {
            "Name": "small",
            "Version": "1.36",
            "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "ResourcesVpcConfig": {"SubnetIds": [{"Ref": "Subnet"}]},
        },
    },
}


def write_assembly(
    folder: Path,
    templates: Mapping[str, Mapping[str, Any]],
    *,
    environment: str = "aws://unknown-account/unknown-region",
    dependencies: Mapping[str, Sequence[str]] | None = None,
) -> Path:
    """Write templates by stack; each stack may depend on others."""
    artifacts = {}
    for name, template in templates.items():
        (folder / f"{name}.template.json").write_text(json.dumps(template))
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": environment,
            "properties": {"templateFile": f"{name}.template.json"},
            "dependencies": list((dependencies or {}).get(name, ())),
        }
    (folder / "manifest.json").write_text(json.dumps({"version": "1", "artifacts": artifacts}))
    return folder


def manifest(*objects: Mapping[str, Any], **properties: Any) -> dict[str, Any]:
    """Return a resource that applies objects to the cluster."""
    given = {"Manifest": json.dumps(objects), "ClusterName": {"Ref": "Cluster"}, **properties}
    return {"Type": "Custom::AWSCDK-EKS-KubernetesResource", "Properties": given}


def config_map(name: str, **fields: Any) -> dict[str, Any]:
    """Return a ConfigMap of the namespace ``default``."""
    metadata = {"name": name, "namespace": "default", **fields.pop("metadata", {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **fields}
