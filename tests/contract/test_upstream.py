"""The contract data is whole, and its accessors say what they promise."""

from __future__ import annotations

import pytest

from cdk_emr_eks.names import base36
from tests.contract import chart_values, upstream
from tests.contract.cfn_yaml import load_template


def test_the_controller_has_six_policies() -> None:
    statements = upstream.controller_statements("prod", node_role="ROLE", queue="QUEUE")
    assert len(statements) == 18
    passing = statements["AllowPassingInstanceRole"]
    assert passing["Resource"] == "ROLE"
    assert statements["AllowInterruptionQueueActions"]["Resource"] == "QUEUE"
    tagged = statements["AllowScopedEC2InstanceActionsWithTags"]["Condition"]["StringEquals"]
    assert tagged["aws:RequestTag/kubernetes.io/cluster/prod"] == "owned"
    discovery = statements["AllowRegionalReadActions"]
    assert "ec2:DescribeInstanceStatus" in discovery["Action"]
    assert discovery["Condition"] == {"StringEquals": {"aws:RequestedRegion": "${AWS::Region}"}}


def test_five_kinds_of_events_reach_the_queue() -> None:
    assert upstream.event_patterns() == {
        ("aws.health", "AWS Health Event"),
        ("aws.ec2", "EC2 Spot Instance Interruption Warning"),
        ("aws.ec2", "EC2 Instance Rebalance Recommendation"),
        ("aws.ec2", "EC2 Instance State-change Notification"),
        ("aws.ec2", "EC2 Capacity Reservation Instance Interruption Warning"),
    }
    assert upstream.interruption_queue()["MessageRetentionPeriod"] == 300
    allow, deny = upstream.interruption_queue_statements()
    assert allow["Principal"] == {"Service": ["events.amazonaws.com", "sqs.amazonaws.com"]}
    assert deny["Effect"] == "Deny"


def test_the_nodes_role_has_four_policies() -> None:
    assert upstream.node_role_policies() == {
        "AmazonEKS_CNI_Policy",
        "AmazonEKSWorkerNodePolicy",
        "AmazonEC2ContainerRegistryPullOnly",
        "AmazonSSMManagedInstanceCore",
    }


def test_emr_s_data_is_whole() -> None:
    rules = upstream.emr_rbac_rules()
    assert len(rules) == 8
    (volumes,) = [rule for rule in rules if "persistentvolumeclaims" in rule.resources]
    assert "deletecollection" in volumes.verbs
    pods = upstream.pod_template_rules()
    assert len(pods.pod_fields) == 23
    assert not {"securityContext", "serviceAccountName", "hostNetwork"} & pods.pod_fields
    assert len(pods.main_container_fields) == 16
    assert not {"image", "command", "args", "securityContext"} & pods.main_container_fields


@pytest.mark.parametrize(("name", "text"), upstream.base36_vectors().items())
def test_role_names_are_encoded_as_emr_does(name: str, text: str) -> None:
    assert base36(name) == text


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (
            {"settings": {"interruptionQueueName": "q"}},
            "settings.interruptionQueueName is no value",
        ),
        ({"setting": {}}, "setting is no value"),
        ({"settings": {"awsFeatureGates": {"nodeClassCEL": True}}}, "awsFeatureGates is no value"),
        ({"settings": {"featureGates": {"nodeRepair": "true"}}}, "must be true or false"),
        ({"settings": {"clusterName": True}}, "clusterName must be text"),
        ({"tolerations": {"key": "a"}}, "tolerations must be a list"),
        ({"controller": {"resources": "small"}}, "controller.resources must be a map"),
        ({"controller": {"image": "x"}}, "controller.image must be a map"),
        ({"replicas": [2]}, "replicas must be a scalar"),
    ],
)
def test_values_that_the_chart_does_not_read_are_named(
    values: dict[str, object], problem: str
) -> None:
    (found,) = chart_values.unread_values(values)
    assert problem in found


def test_values_that_the_chart_reads_pass() -> None:
    values = {
        "replicas": 2,
        "nodeSelector": {"role": "system"},
        "tolerations": [{"key": "a", "operator": "Exists"}],
        "topologySpreadConstraints": [{"maxSkew": 1}],
        "serviceAccount": {"name": "karpenter"},
        "controller": {"resources": {"requests": {"cpu": "1"}}},
        "settings": {
            "clusterName": "c",
            "interruptionQueue": "q",
            "vmMemoryOverheadPercent": 0.075,
            "featureGates": {"spotToSpotConsolidation": True},
        },
    }
    assert chart_values.unread_values(values) == []


def test_values_reach_the_controller() -> None:
    assert chart_values.environment_of("settings.interruptionQueue") == "INTERRUPTION_QUEUE"
    assert chart_values.environment_of("settings.clusterName") == "CLUSTER_NAME"
    assert chart_values.environment_of("settings.featureGates.nodeRepair") == "FEATURE_GATES"
    (place,) = chart_values.places_of("tolerations")
    assert place.startswith("Deployment/karpenter:spec.template.spec.tolerations")
    with pytest.raises(KeyError):
        chart_values.environment_of("tolerations")


def test_every_value_of_the_chart_moves_something() -> None:
    """A value that moves nothing was probed wrongly: see PROBES and WITH in render_chart."""
    assert [path for path in chart_values.paths() if not chart_values.places_of(path)] == []


def test_cloudformation_s_short_forms_are_read() -> None:
    text = "A: !Sub '${B}'\nC: !GetAtt D.E.F\nG: !Ref H\nI: !Join [',', [!Ref J]]\n"
    assert load_template(text) == {
        "A": {"Fn::Sub": "${B}"},
        "C": {"Fn::GetAtt": ["D", "E.F"]},
        "G": {"Ref": "H"},
        "I": {"Fn::Join": [",", [{"Ref": "J"}]]},
    }
