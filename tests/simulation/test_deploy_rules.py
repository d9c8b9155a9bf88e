"""Rules of a deployment: refusals, unsupported resources, retention, deletion."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cdk_emr_eks import ConfigError
from cdk_emr_eks.assembly import AssemblyError, open_assembly
from cdk_emr_eks.simulation.aws import EmulatedAws
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.simulation.deploy import AssemblyDeployment, DeployOutcome, deploy
from cdk_emr_eks.simulation.deploy.objects import Objects
from cdk_emr_eks.simulation.errors import DeploymentFailedError
from tests.simulation.assembly_builder import CLUSTER, config_map, manifest, write_assembly

Deploy = Callable[..., AssemblyDeployment]


@pytest.fixture(scope="module")
def aws(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatedAws]:
    directory = tmp_path_factory.mktemp("aws")
    with EmulatedAws(plane.binaries.prices, directory=directory) as running:
        yield running


@pytest.fixture
def objects(plane: Plane) -> Objects:
    return Objects(plane.client())


@pytest.fixture
def small(plane: Plane, aws: EmulatedAws, tmp_path: Path) -> Iterator[Deploy]:
    """Deploys one stack with a cluster and further resources, and deletes it after the test."""
    made: list[AssemblyDeployment] = []

    def deploy_small(resources: Mapping[str, Any], **template: Any) -> AssemblyDeployment:
        parameters = template.pop("given", {})
        stack = {"Resources": {**CLUSTER, **resources}, **template}
        folder = write_assembly(tmp_path, {"Small": stack})
        done = deploy(open_assembly(folder), plane=plane, aws=aws, parameters={"Small": parameters})
        made.append(done)
        return done

    yield deploy_small
    for deployment in made:
        deployment.destroy(timedelta(seconds=20))


def outcomes(deployment: AssemblyDeployment) -> dict[str, tuple[DeployOutcome, str]]:
    return {r.logical_id: (r.outcome, r.why) for r in deployment.resources}


def data(objects: Objects, name: str) -> Any:
    found = objects.read(config_map(name))
    return None if found is None else found.get("data")


def test_an_unknown_field_fails_and_the_deployment_is_rolled_back(
    small: Deploy, objects: Objects, aws: EmulatedAws
) -> None:
    resources = {"Objects": manifest(config_map("good"), config_map("bad", dataa={"a": "b"}))}
    before = manifest(config_map("before"))
    resources["Objects"]["DependsOn"] = ["Before"]
    with pytest.raises(DeploymentFailedError, match='unknown field "dataa"') as failed:
        small({"Before": before, **resources})
    assert (failed.value.stack, failed.value.logical_id) == ("Small", "Objects")
    assert objects.read(config_map("before")) is None
    assert not aws.client("eks").list_clusters()["clusters"]


def test_an_existing_object_is_refused_unless_overwritten(small: Deploy, objects: Objects) -> None:
    objects.create([config_map("theirs", data={"a": "1"})], overwrite=False, validate=True)
    ours = config_map("theirs", data={"b": "2"})
    with pytest.raises(DeploymentFailedError, match='"theirs" already exists'):
        small({"Objects": manifest(ours)})
    small({"Objects": manifest(ours, Overwrite=True)})
    assert data(objects, "theirs") == {"a": "1", "b": "2"}


def test_validation_can_be_skipped_as_in_cdk(small: Deploy, objects: Objects) -> None:
    small({"Objects": manifest(config_map("lax", dataa={}, data={"a": "1"}), SkipValidation=True)})
    assert data(objects, "lax") == {"a": "1"}


def test_a_chart_that_is_not_available_is_reported_with_its_objects(
    small: Deploy, objects: Objects
) -> None:
    chart = {
        "Type": "Custom::AWSCDK-EKS-HelmChart",
        "Properties": {"Release": "queues", "Chart": "yunikorn", "Version": "1.6.0"},
    }
    queue = {"apiVersion": "queues.example.com/v1", "kind": "Queue", "metadata": {"name": "a"}}
    after = {**manifest(queue, config_map("other")), "DependsOn": "Chart"}
    deployment = small({"Chart": chart, "Objects": after})
    found = outcomes(deployment)
    assert found["Chart"] == (
        DeployOutcome.NOT_SIMULATED,
        "the chart yunikorn 1.6.0 is not available",
    )
    outcome, why = found["Objects"]
    assert outcome is DeployOutcome.NOT_SIMULATED
    assert "no Queue of queues.example.com/v1" in why
    assert "(queues)" in why
    assert objects.read(config_map("other")) is not None
    assert {r.logical_id for r in deployment.not_simulated} == {"Chart", "Objects"}


def test_objects_of_an_unknown_kind_fail(small: Deploy) -> None:
    queue = {"apiVersion": "queues.example.com/v1", "kind": "Queue", "metadata": {"name": "a"}}
    with pytest.raises(DeploymentFailedError, match="the API server has no Queue"):
        small({"Objects": manifest(queue)})


def test_unsupported_resources_are_listed_and_can_be_referred_to(
    small: Deploy, objects: Objects
) -> None:
    text = json.dumps([config_map("ref", data={"topic": "VALUE", "custom": "VALUE"})]).split(
        "VALUE"
    )
    own = {"Fn::GetAtt": ["Own", "Value"]}
    joined = {"Fn::Join": ["", [text[0], {"Ref": "Topic"}, text[1], own, text[2]]]}
    deployment = small(
        {
            "Topic": {"Type": "AWS::SNS::Topic"},
            "Own": {"Type": "Custom::Own", "Properties": {"ServiceToken": "arn"}},
            "Objects": manifest(Manifest=joined),
        }
    )
    found = outcomes(deployment)
    assert found["Topic"] == (
        DeployOutcome.NOT_SIMULATED,
        "the simulation does not support AWS::SNS::Topic",
    )
    assert found["Own"] == (DeployOutcome.NOT_SIMULATED, "its function is not run")
    assert found["Objects"][0] is DeployOutcome.APPLIED
    assert all(data(objects, "ref").values())


def test_a_cache_of_images_is_recorded(small: Deploy) -> None:
    properties = {"EcrRepositoryPrefix": "mirror", "UpstreamRegistryUrl": "public.ecr.aws"}
    rule = {"Type": "AWS::ECR::PullThroughCacheRule", "Properties": properties}
    assert outcomes(small({"Cache": rule}))["Cache"] == (
        DeployOutcome.RECORDED,
        "no image is started",
    )


def test_a_false_condition_omits_a_resource(small: Deploy) -> None:
    queue = {"Type": "AWS::SQS::Queue", "Condition": "InChina"}
    conditions = {"InChina": {"Fn::Equals": [{"Ref": "AWS::Partition"}, "aws-cn"]}}
    found = outcomes(small({"Queue": queue}, Conditions=conditions))
    assert found["Queue"] == (DeployOutcome.OMITTED, "the condition InChina is false")


def test_ignored_properties_are_reported(small: Deploy) -> None:
    found = outcomes(small({}))
    assert found["Vpc"] == (DeployOutcome.EMULATED, "")
    vpc = {"CidrBlock": "10.2.0.0/16", "EnableDnsSupport": True}
    found = outcomes(small({"Second": {"Type": "AWS::EC2::VPC", "Properties": vpc}}))
    assert found["Second"] == (DeployOutcome.EMULATED, "ignored: EnableDnsSupport")


def test_a_second_cluster_is_not_simulated(small: Deploy) -> None:
    outcome, why = outcomes(small({"Another": {**CLUSTER["Cluster"], "DependsOn": "Cluster"}}))[
        "Another"
    ]
    assert outcome is DeployOutcome.NOT_SIMULATED
    assert "one control plane" in why


def test_a_virtual_cluster_needs_its_namespace(small: Deploy) -> None:
    info = {"EksInfo": {"Namespace": "nowhere"}}
    properties = {
        "Name": "team",
        "ContainerProvider": {"Type": "EKS", "Id": "small", "Info": info},
    }
    virtual = {"Type": "AWS::EMRContainers::VirtualCluster", "Properties": properties}
    with pytest.raises(DeploymentFailedError, match="the namespace nowhere does not exist"):
        small({"Virtual": {**virtual, "DependsOn": "Cluster"}})


def test_parameters_have_defaults_given_values_and_stored_values(
    small: Deploy, aws: EmulatedAws, objects: Objects
) -> None:
    aws.client("ssm").put_parameter(Name="/stored", Type="String", Value="kept")
    parameters = {
        "Given": {"Type": "String"},
        "Default": {"Type": "CommaDelimitedList", "Default": "a, b"},
        "Stored": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/stored"},
    }
    names = {"Fn::Join": ["-", {"Ref": "Default"}]}
    body = {"Fn::Sub": ["${Given}/${names}/${Stored}", {"names": names}]}
    text = json.dumps([config_map("parameters", data={"a": "VALUE"})])
    head, _, tail = text.partition("VALUE")
    made = manifest(Manifest={"Fn::Join": ["", [head, body, tail]]})
    with pytest.raises(DeploymentFailedError, match="Given has no default"):
        small({"Objects": made}, Parameters=parameters)
    small({"Objects": made}, Parameters=parameters, given={"Given": "mine"})
    assert data(objects, "parameters") == {"a": "mine/a-b/kept"}


def test_a_broken_rule_of_the_template_fails(small: Deploy) -> None:
    wrong = {"Assert": {"Fn::Equals": ["a", "b"]}, "AssertDescription": "bootstrap first"}
    with pytest.raises(DeploymentFailedError, match="bootstrap first"):
        small({}, Rules={"Bootstrapped": {"Assertions": [wrong]}})


def test_retained_resources_are_kept(small: Deploy, aws: EmulatedAws) -> None:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "kept"}}
    gone = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "gone"}}
    deployment = small({"Kept": {**queue, "DeletionPolicy": "Retain"}, "Gone": gone})
    assert deployment.destroy(timedelta(seconds=20)) == ()
    (left,) = aws.client("sqs").list_queues()["QueueUrls"]
    assert left.endswith("/kept")


def test_deletion_reports_finalizers_at_its_timeout(small: Deploy, objects: Objects) -> None:
    held = config_map("held", metadata={"finalizers": ["example.com/never"]})
    deployment = small({"Objects": manifest(held)})
    start = time.monotonic()
    (problem,) = deployment.destroy(timedelta(seconds=2))
    assert time.monotonic() - start < 20
    assert problem == ("Small Objects: ConfigMap default/held still exists (example.com/never)")
    objects.request(
        "PATCH",
        "/api/v1/namespaces/default/configmaps/held",
        body={"metadata": {"finalizers": None}},
    )


def test_a_nested_stack_gets_parameters_and_returns_outputs(
    small: Deploy, tmp_path: Path, objects: Objects
) -> None:
    inner = {
        "Parameters": {"Prefix": {"Type": "String"}},
        "Resources": {
            "Queue": {
                "Type": "AWS::SQS::Queue",
                "Properties": {"QueueName": {"Fn::Sub": "${Prefix}-inner"}},
            }
        },
        "Outputs": {"Name": {"Value": {"Fn::GetAtt": ["Queue", "QueueName"]}}},
    }
    (tmp_path / "Inner.nested.template.json").write_text(json.dumps(inner))
    nested = {
        "Type": "AWS::CloudFormation::Stack",
        "Metadata": {"aws:asset:path": "Inner.nested.template.json"},
        "Properties": {"Parameters": {"Prefix": {"Ref": "Cluster"}}},
    }
    text = json.dumps([config_map("nested", data={"queue": "VALUE"})]).partition("VALUE")
    value = {"Fn::GetAtt": ["Nested", "Outputs.Name"]}
    made = manifest(Manifest={"Fn::Join": ["", [text[0], value, text[2]]]})
    deployment = small({"Nested": nested, "Objects": made})
    assert data(objects, "nested") == {"queue": "small-inner"}
    assert outcomes(deployment)["Queue"][0] is DeployOutcome.EMULATED


def test_a_nested_stack_that_fails_is_rolled_back(
    small: Deploy, tmp_path: Path, objects: Objects
) -> None:
    bad = manifest(config_map("bad", dataa={"a": "b"}), ClusterName="small")
    before = manifest(config_map("inner"), ClusterName="small")
    inner = {"Resources": {"Before": before, "Objects": {**bad, "DependsOn": "Before"}}}
    (tmp_path / "Inner.nested.template.json").write_text(json.dumps(inner))
    metadata = {"aws:asset:path": "Inner.nested.template.json"}
    nested = {"Type": "AWS::CloudFormation::Stack", "Metadata": metadata, "Properties": {}}
    with pytest.raises(DeploymentFailedError, match='unknown field "dataa"') as failed:
        small({"Nested": nested})
    assert (failed.value.stack, failed.value.logical_id) == ("Small-Nested", "Objects")
    assert objects.read(config_map("inner")) is None


def test_a_stack_can_read_an_output_without_an_export(
    plane: Plane, aws: EmulatedAws, tmp_path: Path, objects: Objects
) -> None:
    output = {"Fn::GetStackOutput": {"StackName": "Base", "OutputName": "Cluster"}}
    text = json.dumps([config_map("read", data={"cluster": "VALUE"})]).partition("VALUE")
    body = manifest(Manifest={"Fn::Join": ["", [text[0], output, text[2]]]}, ClusterName=output)
    stacks: dict[str, Any] = {
        "Above": {"Resources": {"Objects": body}},
        "Base": {"Resources": dict(CLUSTER), "Outputs": {"Cluster": {"Value": {"Ref": "Cluster"}}}},
    }
    deployment = deploy(open_assembly(write_assembly(tmp_path, stacks)), plane=plane, aws=aws)
    assert data(objects, "read") == {"cluster": "small"}
    assert deployment.destroy(timedelta(seconds=20)) == ()


def test_stacks_follow_their_dependencies_and_imports(
    plane: Plane, aws: EmulatedAws, tmp_path: Path, objects: Objects
) -> None:
    name = {"Value": {"Ref": "Cluster"}, "Export": {"Name": "Base:Cluster"}}
    text = json.dumps([config_map("imported", data={"cluster": "VALUE"})]).partition("VALUE")
    imported = {"Fn::ImportValue": "Base:Cluster"}
    body = manifest(Manifest={"Fn::Join": ["", [text[0], imported, text[2]]]}, ClusterName=imported)
    stacks: dict[str, Any] = {
        "Above": {"Resources": {"Objects": body}},
        "Base": {"Resources": dict(CLUSTER), "Outputs": {"Name": name}},
    }
    folder = write_assembly(tmp_path, stacks, dependencies={"Above": ["Base"]})
    deployment = deploy(open_assembly(folder), plane=plane, aws=aws)
    assert data(objects, "imported") == {"cluster": "small"}
    assert deployment.resources[-1].stack == "Above"
    assert deployment.destroy(timedelta(seconds=20)) == ()
    assert objects.read(config_map("imported")) is None


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ("aws://111122223333/us-east-1", "account must be 123456789012, got '111122223333'"),
        ("aws://unknown-account/eu-west-1", "pass region='eu-west-1' to EmulatedAws"),
    ],
)
def test_another_environment_is_refused(
    environment: str, says: str, plane: Plane, aws: EmulatedAws, tmp_path: Path
) -> None:
    stacks = {"Small": {"Resources": dict(CLUSTER)}}
    folder = write_assembly(tmp_path, stacks, environment=environment)
    with pytest.raises(ConfigError, match=says):
        deploy(open_assembly(folder), plane=plane, aws=aws)


def test_existing_clusters_and_controllers_cannot_be_simulated(
    small: Deploy, plane: Plane, aws: EmulatedAws, tmp_path: Path
) -> None:
    pool = {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": "a"}}
    with pytest.raises(AssemblyError, match="does not install Karpenter"):
        small({"Objects": manifest(pool)})
    folder = write_assembly(tmp_path, {"Small": {"Resources": {"Objects": manifest(pool)}}})
    with pytest.raises(AssemblyError, match="creates no EKS cluster"):
        deploy(open_assembly(folder), plane=plane, aws=aws)
    network = {"ResourcesVpcConfig": {"SubnetIds": ["subnet-elsewhere"]}}
    properties = {**CLUSTER["Cluster"]["Properties"], **network}
    with pytest.raises(AssemblyError, match="does not create the subnets of the cluster small"):
        small({"Cluster": {"Type": "AWS::EKS::Cluster", "Properties": properties}})


def test_existing_subnets_have_stand_ins(small: Deploy, aws: EmulatedAws, objects: Objects) -> None:
    ids = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]
    properties = {**CLUSTER["Cluster"]["Properties"], "ResourcesVpcConfig": {"SubnetIds": ids}}
    cluster = {"Type": "AWS::EKS::Cluster", "Properties": properties}
    seen = manifest(config_map("network", data={"subnet": ids[1]}))
    deployment = small({"Cluster": cluster, "Objects": seen})
    ec2 = aws.client("ec2")
    subnet = data(objects, "network")["subnet"]
    assert subnet not in ids
    (described,) = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
    assert described["AvailabilityZone"] == f"{aws.region}b"
    why = f"a stand-in for an existing one, assumed to be in {aws.region}b and without tags"
    assert outcomes(deployment)[ids[1]] == (DeployOutcome.EMULATED, why)
    assert deployment.destroy(timedelta(seconds=20)) == ()
    assert all(vpc["IsDefault"] for vpc in ec2.describe_vpcs()["Vpcs"])
