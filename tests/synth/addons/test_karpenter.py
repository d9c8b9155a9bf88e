"""Karpenter in the template: roles, queue, charts, and the order in which they come and go."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import aws_cdk as cdk
import pytest

from cdk_emr_eks.addons.karpenter import FeatureGates, Karpenter, KarpenterLogLevel, SchedulingBatch
from cdk_emr_eks.addons.karpenter.controller_policy import (
    check_sizes,
    controller_policies,
    longest_scope,
)
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.instances.instances import Resources
from cdk_emr_eks.security.iam_statements import MAX_POLICY_CHARACTERS
from cdk_emr_eks.security.published_policies import policy_size
from cdk_emr_eks.units import Cpu, Memory
from cdk_emr_eks.versions import KARPENTER
from tests.static.nag import nag_report
from tests.synth.addons.karpenter_app import (
    CLUSTER,
    Resource,
    new_app,
    of_type,
    only,
    reference,
    waits_for,
)

HELM = "Custom::AWSCDK-EKS-HelmChart"
POLICY = "AWS::IAM::ManagedPolicy"


def _values(chart: Resource) -> Mapping[str, Any]:
    parts = chart["Properties"]["Values"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else next(iter(part)) for part in parts)
    return cast(Mapping[str, Any], json.loads(text))


def test_crds_are_a_chart_of_their_own() -> None:
    charts = of_type(reference(), HELM).values()
    found = {each["Properties"]["Release"]: each["Properties"] for each in charts}
    assert set(found) == {"karpenter-crd", "karpenter"}
    for release, chart in found.items():
        assert chart["Repository"] == f"oci://public.ecr.aws/karpenter/{release}"
        assert (chart["Version"], chart["Namespace"]) == (KARPENTER, "kube-system")
        assert chart["Atomic"] is True
        assert chart["SkipCrds"] is True
        assert int(chart["Timeout"].removesuffix("s")) <= 600
    assert "Values" not in found["karpenter-crd"]


def test_the_controller_runs_on_system_nodes_of_different_zones() -> None:
    values = _values(only(reference(), HELM, "Chart")[1])
    assert values["nodeSelector"] == {"emr-eks/system": "true"}
    assert [each["key"] for each in values["tolerations"]] == ["emr-eks/system"]
    assert values["replicas"] == 2
    (spread,) = values["topologySpreadConstraints"]
    assert spread["topologyKey"] == "topology.kubernetes.io/zone"
    assert spread["whenUnsatisfiable"] == "DoNotSchedule"


def test_the_chart_reads_the_queue_of_the_template() -> None:
    resources = reference()
    queue, _ = only(resources, "AWS::SQS::Queue", "Karpenter")
    chart = only(resources, HELM, "Chart")[1]
    parts = chart["Properties"]["Values"]["Fn::Join"][1]
    index = parts.index({"Fn::GetAtt": [queue, "QueueName"]})
    assert parts[index - 1].endswith('"interruptionQueue":"')
    assert _values(chart)["settings"]["clusterName"] == CLUSTER


def test_only_karpenters_service_account_of_this_cluster_may_be_the_controller() -> None:
    resources = reference()
    role, content = only(resources, "AWS::IAM::Role", "ControllerRole")
    (statement,) = content["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert set(statement["Action"]) == {"sts:AssumeRole", "sts:TagSession"}
    tags = statement["Condition"]["StringEquals"]
    assert tags["aws:RequestTag/kubernetes-namespace"] == "kube-system"
    assert tags["aws:RequestTag/kubernetes-service-account"] == ["karpenter"]
    cluster = tags["aws:RequestTag/eks-cluster-arn"]["Fn::Join"][1]
    assert cluster[-2:] == [{"Ref": "AWS::AccountId"}, f":cluster/{CLUSTER}"]
    association = only(resources, "AWS::EKS::PodIdentityAssociation", "Karpenter")[1]["Properties"]
    assert association["RoleArn"] == {"Fn::GetAtt": [role, "Arn"]}
    assert association["Namespace"] == "kube-system"
    assert association["ServiceAccount"] == "karpenter"


def test_nodes_join_by_an_access_entry() -> None:
    resources = reference()
    role, content = only(resources, "AWS::IAM::Role", "NodeRole")
    (statement,) = content["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    # China has another name for EC2.
    assert statement["Principal"] == {
        "Service": {"Fn::Join": ["", ["ec2.", {"Ref": "AWS::URLSuffix"}]]}
    }
    entry = only(resources, "AWS::EKS::AccessEntry", "NodeAccess")[1]["Properties"]
    assert entry["Type"] == "EC2_LINUX"
    assert entry["PrincipalArn"] == {"Fn::GetAtt": [role, "Arn"]}


def test_only_the_five_rules_may_fill_the_queue() -> None:
    resources = reference()
    rules = of_type(resources, "AWS::Events::Rule")
    document = only(resources, "AWS::SQS::QueuePolicy", "Karpenter")[1]["Properties"]
    allow, deny = document["PolicyDocument"]["Statement"]
    sources = allow["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert len(rules) == 5
    assert sources == [{"Fn::GetAtt": [name, "Arn"]} for name in rules]
    assert allow["Principal"] == {"Service": "events.amazonaws.com"}
    assert (deny["Effect"], deny["Condition"]) == (
        "Deny",
        {"Bool": {"aws:SecureTransport": "false"}},
    )


def test_deletion_takes_pools_then_chart_then_rights_then_nodes() -> None:
    resources = reference()
    pools, _ = only(resources, "Custom::AWSCDK-EKS-KubernetesResource", "Capacity")
    chart, _ = only(resources, HELM, "Chart")
    crds, _ = only(resources, HELM, "Crds")
    before_pools, before_chart = waits_for(resources, pools), waits_for(resources, chart)
    assert {chart, only(resources, "AWS::EKS::AccessEntry", "NodeAccess")[0]} <= before_pools
    rights = {
        *of_type(resources, POLICY),
        *of_type(resources, "AWS::Events::Rule"),
        *of_type(resources, "AWS::SQS::QueuePolicy"),
        *of_type(resources, "AWS::EKS::PodIdentityAssociation"),
        *of_type(resources, "AWS::EKS::Nodegroup"),
        crds,
    }
    assert rights <= before_chart
    assert set(of_type(resources, "AWS::EKS::Nodegroup")) <= waits_for(resources, crds)
    # Karpenter's other resources do not wait for nodes.
    assert not waits_for(resources, only(resources, "AWS::SQS::QueuePolicy", "")[0]) & {
        *of_type(resources, "AWS::EKS::Nodegroup")
    }


def test_zonal_shift_and_session_manager_are_opt_in() -> None:
    names = " ".join(of_type(reference(), POLICY))
    assert "ZonalShift" not in names
    app = new_app()
    options = Karpenter(zonal_shift=True, session_manager=True, create_spot_role=True)
    options.install(app.stack, app.context)
    resources = app.template()
    only(resources, POLICY, "ZonalShift")
    assert _values(only(resources, HELM, "Chart")[1])["settings"]["enableZonalShift"] is True
    node_policies = json.dumps(only(resources, "AWS::IAM::Role", "NodeRole")[1])
    assert "AmazonSSMManagedInstanceCore" in node_policies
    spot = only(resources, "AWS::IAM::ServiceLinkedRole", "Spot")[1]
    assert spot["Properties"] == {"AWSServiceName": "spot.amazonaws.com"}
    assert spot["DeletionPolicy"] == "Retain"
    # Each finding of cdk-nag has its reason in code, also those of options.
    report = nag_report(cast(cdk.App, app.stack.node.root))
    assert not [each for each in (*report.findings, *report.stale) if "/Karpenter/" in each]


def test_no_partition_is_written_out() -> None:
    app = new_app(env=cdk.Environment(region="cn-north-1", account="111122223333"))
    Karpenter(zonal_shift=True).install(app.stack, app.context)
    found = {name: each for name, each in app.template().items() if "Karpenter" in name}
    text = json.dumps(found)
    assert "arn:aws:" not in text
    # The trust is the same text in every region; all else knows the stack's.
    rest = {name: each for name, each in found.items() if "ControllerRole" not in name}
    assert '"AWS::Region"' not in json.dumps(rest)
    assert ":ec2:cn-north-1:*:instance/*" in text


def test_options_reach_the_chart() -> None:
    app = new_app()
    Karpenter(
        version="1.14.2",
        replicas=3,
        resources=Resources(Cpu.cores(2), Memory.from_gib(4)),
        batch=SchedulingBatch(idle=timedelta(seconds=2), longest=timedelta(seconds=30)),
        feature_gates=FeatureGates(node_repair=True, capacity_buffer=True),
        log_level=KarpenterLogLevel.DEBUG,
        isolated_vpc=True,
    ).install(app.stack, app.context)
    chart = only(app.template(), HELM, "Chart")[1]
    values = _values(chart)
    settings = values["settings"]
    assert chart["Properties"]["Version"] == "1.14.2"
    assert (values["replicas"], values["logLevel"]) == (3, "debug")
    assert values["controller"]["resources"] == {
        "requests": {"cpu": "2", "memory": "4Gi"},
        "limits": {"memory": "4Gi"},
    }
    assert (settings["batchIdleDuration"], settings["batchMaxDuration"]) == ("2s", "30s")
    assert settings["isolatedVPC"] is True
    assert settings["reservedENIs"] == "1"
    on = {name for name, value in settings["featureGates"].items() if value}
    assert on == {"nodeRepair", "capacityBuffer", "reservedCapacity"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"version": "0.37.0"},
            "Karpenter: version must be a release such as '1.14.1', 1.14.0 or newer, below 2, "
            "got '0.37.0'.",
        ),
        (
            {"version": "latest"},
            "Karpenter: version must be a release such as '1.14.1', 1.14.0 or newer, below 2, "
            "got 'latest'.",
        ),
        ({"replicas": 0}, "Karpenter: replicas must be 1 or more, got 0."),
        (
            {"resources": Resources(Cpu(100), Memory(128))},
            "Karpenter:\n"
            "  - resources.cpu must be at least 500m, got '100m'.\n"
            "  - resources.memory must be at least 512Mi, got '128Mi'.",
        ),
        (
            {"log_level": "verbose"},
            "Karpenter: log_level must be one of KarpenterLogLevel.DEBUG, KarpenterLogLevel.INFO, "
            "KarpenterLogLevel.ERROR, got 'verbose'.",
        ),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Karpenter(**options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("idle", "message"),
    [
        (
            timedelta(milliseconds=1500),
            "SchedulingBatch: idle must be whole seconds, at least 1 second, got '0:00:01.500000'.",
        ),
        (
            timedelta(seconds=20),
            "SchedulingBatch: idle must not be longer than longest (0:00:10), got '0:00:20'.",
        ),
    ],
)
def test_bad_batches_are_refused(idle: timedelta, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        SchedulingBatch(idle=idle)
    assert str(caught.value) == message


def test_a_cluster_name_that_is_a_token_is_refused() -> None:
    app = new_app()
    context = replace(app.context, cluster_name=app.cluster.cluster_name)
    with pytest.raises(ConfigError, match="must be known at synth, not a token"):
        Karpenter().install(app.stack, context)


def test_policies_fit_with_the_longest_names() -> None:
    name = "n" * 100
    check_sizes(name, zonal_shift=True)
    documents = controller_policies(longest_scope(name), zonal_shift=True)
    sizes = {each: policy_size(document) for each, document in documents.items()}
    assert max(sizes.values()) <= MAX_POLICY_CHARACTERS
    # The check is no formality: all in one policy would not fit.
    assert sum(sizes.values()) > MAX_POLICY_CHARACTERS


def test_a_policy_over_the_limit_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        check_sizes("n" * 500, zonal_shift=False)
    assert "NodeLifecycle" in str(caught.value)
    assert "IAM takes 6144" in str(caught.value)


def test_no_region_is_longer_than_the_measured_one() -> None:
    botocore = pytest.importorskip("botocore.session")
    session = botocore.get_session()
    scope = longest_scope("name")
    for partition in session.get_available_partitions():
        assert len(partition) <= len(scope.partition)
        for region in session.get_available_regions("ec2", partition):
            assert len(region) <= len(scope.region)


def test_policies_in_the_template_are_no_larger_than_measured() -> None:
    name = "n" * 100
    app = new_app(name)
    Karpenter().install(app.stack, app.context)
    measured = controller_policies(longest_scope(name), zonal_shift=False)
    made = of_type(app.template(), POLICY)
    assert len(made) == len(measured)
    for key, document in measured.items():
        policy = next(each for logical, each in made.items() if f"{key}Policy" in logical)
        statements = policy["Properties"]["PolicyDocument"]["Statement"]
        assert [each["Sid"] for each in statements] == [
            each["Sid"]
            for each in document["Statement"]  # type: ignore[attr-defined]
        ]
