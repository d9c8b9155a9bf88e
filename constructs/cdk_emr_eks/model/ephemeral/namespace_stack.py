"""The CloudFormation template of one ephemeral namespace.

CloudFormation creates the namespace as that of every tenant: by the cluster's existing kubectl
handler, which reaches a private API server. Step Functions' own calls of Kubernetes do not.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/connect-eks.html (its note on public
endpoints)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

MANIFEST_TYPE: Final = "Custom::AWSCDK-EKS-KubernetesResource"
ASSOCIATION_TYPE: Final = "AWS::EKS::PodIdentityAssociation"

# Longest template that CreateStack takes as text.
# Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MAX_TEMPLATE_BYTES: Final = 51_200


def namespace_template(
    *,
    objects: Sequence[Mapping[str, object]],
    placeholder: str,
    service_token: str,
    cluster_name: str,
    role_arn: str,
    service_accounts: Sequence[str],
) -> str:
    """Return the template as JSON text, with the parameter ``Namespace``.

    Args:
        objects: The namespace and its objects, rendered for the namespace ``placeholder``.
        placeholder: The name that the parameter replaces.
        service_token: ARN of the kubectl provider's function.
        cluster_name: Name of the EKS cluster.
        role_arn: Execution role of the job.
        service_accounts: EMR's service accounts of the role.
    """
    namespace = {"Ref": "Namespace"}
    parts: list[object] = []
    for text in json.dumps(objects, separators=(",", ":")).split(placeholder):
        parts += [namespace, text]
    resources: dict[str, object] = {
        "Namespace": {
            "Type": MANIFEST_TYPE,
            "Properties": {
                "ServiceToken": service_token,
                "ClusterName": cluster_name,
                "Manifest": {"Fn::Join": ["", parts[1:]]},
            },
        }
    }
    for number, account in enumerate(service_accounts):
        resources[f"Association{number}"] = {
            "Type": ASSOCIATION_TYPE,
            "Properties": {
                "ClusterName": cluster_name,
                "Namespace": namespace,
                "ServiceAccount": account,
                "RoleArn": role_arn,
            },
        }
    template = {
        "Parameters": {"Namespace": {"Type": "String"}},
        "Resources": resources,
    }
    return json.dumps(template, separators=(",", ":"))
