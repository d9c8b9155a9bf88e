"""Images in the template: what is made, in which order, and what each part may do."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import aws_cdk as cdk
import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.images.image import NotebookImage, SparkImage
from cdk_emr_eks.labels import Architecture
from cdk_emr_eks.model.images.emr_images import ImageKind
from cdk_emr_eks.model.images.image import BuilderSize, ImageBuilder
from cdk_emr_eks.model.images.image_uri import MAX_BASE
from tests.synth.deploy_policy.deploy_app import resources, statements_of
from tests.synth.images.image_app import BASE, DIGEST, SCIENCE, images, template_of, variables
from tests.synth.tenants.tenancy_app import new_app

PIPELINE: Final = "AWS::CodePipeline::Pipeline"
PROJECT: Final = "AWS::CodeBuild::Project"
REPOSITORY: Final = "AWS::ECR::Repository"
ROLE: Final = "AWS::IAM::Role"
WAIT: Final = "AWS::CloudFormation::WaitCondition"
HANDLE: Final = "AWS::CloudFormation::WaitConditionHandle"


def statements(stack: str, service: str) -> dict[str, dict[str, Any]]:
    """Statements by Sid of the role that a service has."""
    for role in images().of_type(stack, ROLE).values():
        trust = role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
        if trust["Principal"]["Service"] == f"{service}.amazonaws.com":
            assert trust["Condition"] == {
                "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
            }
            (policy,) = role["Properties"]["Policies"]
            return {each["Sid"]: each for each in policy["PolicyDocument"]["Statement"]}
    raise AssertionError(service)


def actions(stack: str) -> dict[str, dict[str, Any]]:
    """Configurations of the pipeline's actions, by name."""
    stages = images().properties(stack, PIPELINE)["Stages"]
    return {each["Name"]: each["Configuration"] for stage in stages for each in stage["Actions"]}


# ---- what is made


def test_the_docstring_says_what_is_made() -> None:
    assert Counter(each["Type"] for each in images().templates["Spark"]["Resources"].values()) == {
        REPOSITORY: 1,
        "AWS::Logs::LogGroup": 1,
        ROLE: 2,
        PROJECT: 2,
        PIPELINE: 1,
        HANDLE: 1,
        WAIT: 1,
        "AWS::SSM::Parameter": 1,
    }
    assert len(images().templates["Notebook"]["Resources"]) == 9
    assert "ten (repository, log group" in str(SparkImage.__doc__)
    assert "nine" in str(NotebookImage.__doc__)


def test_each_architecture_is_built_on_machines_of_its_own() -> None:
    found = {
        (each["Properties"]["Environment"]["Type"], each["Properties"]["Environment"]["Image"])
        for each in images().of_type("Spark", PROJECT).values()
    }
    assert found == {
        ("LINUX_CONTAINER", "aws/codebuild/amazonlinux-x86_64-standard:6.0"),
        ("ARM_CONTAINER", "aws/codebuild/amazonlinux-aarch64-standard:4.0"),
    }
    own = images().properties("Own", PROJECT)["Environment"]
    assert own["Type"] == "ARM_CONTAINER"
    assert images().properties("Notebook", PROJECT)["Environment"]["Type"] == "LINUX_CONTAINER"


def test_the_pipeline_runs_by_itself_and_builds_side_by_side_before_it_joins() -> None:
    pipeline = images().properties("Spark", PIPELINE)
    assert (pipeline["PipelineType"], pipeline["RestartExecutionOnUpdate"]) == ("V2", True)
    stages = {
        stage["Name"]: [each["Name"] for each in stage["Actions"]] for stage in pipeline["Stages"]
    }
    assert stages == {"Source": ["Context"], "Build": ["amd64", "arm64"], "Join": ["join"]}
    assert all("RunOrder" not in each for stage in pipeline["Stages"] for each in stage["Actions"])
    names = {
        id: item["Properties"]["Name"] for id, item in images().of_type("Spark", PROJECT).items()
    }
    for action in ("amd64", "arm64"):
        project = names[actions("Spark")[action]["ProjectName"]["Ref"]]
        assert project == f"{pipeline['Name']}-{action}"
    assert names[actions("Spark")["join"]["ProjectName"]["Ref"]].endswith("-amd64")


def test_builds_have_their_environment() -> None:
    handle, _ = images().only("Spark", HANDLE)
    given = {name: variables(actions("Spark")[name]) for name in ("amd64", "arm64", "join")}
    assert [each.pop("STEP") for each in given.values()] == ["build", "build", "join"]
    (same,) = {json.dumps(each) for each in given.values()}
    found = json.loads(same)
    assert len(found.pop("TAG")) == 32
    assert found == {
        "BASE_IMAGE": "public.ecr.aws/emr-on-eks/spark/emr-7.14.0:latest",
        "SIGNAL_URL": handle,
    }
    for project in images().of_type("Spark", PROJECT).values():
        constant = project["Properties"]["Environment"]["EnvironmentVariables"]
        assert {"Name": "ARCHITECTURES", "Value": "amd64 arm64"} in constant
    assert variables(actions("Own")["join"])["BASE_IMAGE"] == f"{BASE}@{DIGEST}"
    gov = "299385240661.dkr.ecr.us-gov-west-1.amazonaws.com/notebook-spark/emr-7.14.0:latest"
    assert variables(actions("Notebook")["join"])["BASE_IMAGE"] == gov


def test_the_environment_of_builds_fits_a_pipeline() -> None:
    # CodePipeline takes 1,000 characters of it; a stack's name may have 128 of the URL's.
    base = f"111122223333.dkr.ecr.ap-southeast-1.amazonaws.com/{'b' * 78}@{DIGEST}"
    assert len(base) == MAX_BASE
    template = template_of(replace(SCIENCE, base=base), "A" * 200)
    resources = template["Resources"]
    (handle,) = (id for id, item in resources.items() if item["Type"] == HANDLE)
    (pipeline,) = (item for item in resources.values() if item["Type"] == PIPELINE)
    url = (
        "https://cloudformation-waitcondition-ap-southeast-1.s3.ap-southeast-1.amazonaws.com/"
        "arn%3Aaws-us-gov%3Acloudformation%3Aap-southeast-1%3A111122223333%3Astack/"
        f"{'s' * 128}/00000000-0000-0000-0000-000000000000/{handle}"
        "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20261121T000000Z&X-Amz-SignedHeaders=host"
        f"&X-Amz-Expires=86399&X-Amz-Credential={'A' * 20}%2F20261121%2Fap-southeast-1%2Fs3%2F"
        f"aws4_request&X-Amz-Signature={'0' * 64}"
    )
    for stage in pipeline["Properties"]["Stages"][1:]:
        for action in stage["Actions"]:
            joined = action["Configuration"]["EnvironmentVariables"]["Fn::Join"][1]
            text = "".join(part if isinstance(part, str) else url for part in joined)
            assert {"name": "SIGNAL_URL", "value": url} in json.loads(text)
            assert len(text) <= 1_000


def test_the_deployment_waits_for_the_image_longer_than_a_build_may_take() -> None:
    pipeline, _ = images().only("Spark", PIPELINE)
    handle, _ = images().only("Spark", HANDLE)
    wait = images().only("Spark", WAIT)[1]
    assert wait["DependsOn"] == [pipeline]
    assert wait["Properties"]["Handle"] == {"Ref": handle}
    project = next(iter(images().of_type("Spark", PROJECT).values()))["Properties"]
    longest = project["TimeoutInMinutes"] + 2 * project["QueuedTimeoutInMinutes"]
    assert longest * 60 < int(wait["Properties"]["Timeout"]) <= 43_200


def test_the_longest_build_fits_what_cloudformation_waits() -> None:
    slow = ImageBuilder(timeout=timedelta(hours=8), size=BuilderSize.LARGE)
    template = template_of(replace(SCIENCE, builder=slow))
    (wait,) = (each for each in template["Resources"].values() if each["Type"] == WAIT)
    assert int(wait["Properties"]["Timeout"]) <= 43_200
    for each in template["Resources"].values():
        if each["Type"] == PROJECT:
            assert each["Properties"]["TimeoutInMinutes"] == 480
            assert each["Properties"]["Environment"]["ComputeType"] == "BUILD_GENERAL1_LARGE"


# ---- the repository and the URI


def test_the_repository_is_immutable_scanned_and_goes_with_the_stack() -> None:
    repository = images().only("Spark", REPOSITORY)[1]
    found = repository["Properties"]
    assert found["ImageTagMutability"] == "IMMUTABLE"
    assert found["ImageScanningConfiguration"] == {"ScanOnPush": True}
    assert (found["EmptyOnDelete"], repository["DeletionPolicy"]) == (True, "Delete")
    rules = json.loads(found["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    assert [each["selection"]["tagStatus"] for each in rules] == ["untagged", "any"]
    # Ten builds of two architectures and their list.
    assert rules[1]["selection"]["countNumber"] == 30


def test_a_kept_repository_under_a_key() -> None:
    key, _ = images().only("Own", "AWS::KMS::Key")
    repository = images().only("Own", REPOSITORY)[1]
    assert repository["DeletionPolicy"] == repository["UpdateReplacePolicy"] == "Retain"
    assert "EmptyOnDelete" not in repository["Properties"]
    encryption = repository["Properties"]["EncryptionConfiguration"]
    assert encryption == {"EncryptionType": "KMS", "KmsKey": {"Fn::GetAtt": [key, "Arn"]}}
    rules = json.loads(repository["Properties"]["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    assert rules[1]["selection"]["countNumber"] == 10


def test_the_uri_is_by_digest_in_its_stack_and_by_immutable_tag_in_others() -> None:
    wait, _ = images().only("Spark", WAIT)
    parameter, item = images().only("Spark", "AWS::SSM::Parameter")
    within = images().templates["Spark"]["Outputs"]["Uri"]["Value"]
    assert within == {"Fn::GetAtt": [parameter, "Value"]}
    parts = item["Properties"]["Value"]["Fn::Join"][1]
    data = {"Fn::GetAtt": [wait, "Data"]}
    assert parts[-2:] == ["@", {"Fn::Select": [3, {"Fn::Split": ['"', data]}]}]
    elsewhere = images().templates["User"]["Outputs"]["Uri"]["Value"]["Fn::Join"][1]
    assert elsewhere[-1] == ":" + variables(actions("Spark")["join"])["TAG"]
    # Nothing that another image would change is exported, or no stack could be updated.
    outputs = images().templates["Spark"]["Outputs"].values()
    exports = json.dumps([each for each in outputs if "Export" in each])
    assert "Repository" in exports
    assert wait not in exports
    assert parameter not in exports


def test_a_grantee_pulls_from_this_repository_only() -> None:
    policy = images().properties("User", "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    login = [each for each in policy if each["Action"] == "ecr:GetAuthorizationToken"]
    assert [each["Resource"] for each in login] == ["*"]
    (pull,) = (each for each in policy if each not in login)
    assert "ecr:BatchGetImage" in pull["Action"]
    assert "PutImage" not in json.dumps(pull)
    assert "Fn::ImportValue" in pull["Resource"]


# ---- what the parts may do


def test_a_build_pushes_to_its_repository_and_reads_its_own_context() -> None:
    repository, _ = images().only("Spark", REPOSITORY)
    found = statements("Spark", "codebuild")
    assert set(found) == {"Log", "ReadContext", "Login", "PushImage"}
    assert found["PushImage"]["Resource"] == {"Fn::GetAtt": [repository, "Arn"]}
    name = images().properties("Spark", PIPELINE)["Name"]
    assert found["ReadContext"]["Resource"]["Fn::Join"][1][-1] == f"/{name}/*"
    assert all("Put" not in each for each in found["ReadContext"]["Action"])
    assert [sid for sid, each in found.items() if each["Resource"] == "*"] == ["Login"]
    text = json.dumps(list(found.values()))
    assert not any(f'"{service}:*"' in text for service in ("ecr", "s3", "logs"))


def test_a_build_may_also_pull_its_base_in_ecr() -> None:
    pull = statements("Own", "codebuild")["PullBase"]
    assert pull["Action"] == ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    arn = ":ecr:us-west-2:999988887777:repository/bases/spark"
    assert pull["Resource"]["Fn::Join"][1][-1] == arn
    # Only who pulls from ECR Public logs in there.
    assert statements("Own", "codebuild")["Login"]["Action"] == "ecr:GetAuthorizationToken"
    assert "sts:GetServiceBearerToken" in statements("Spark", "codebuild")["Login"]["Action"]


def test_the_pipeline_starts_its_builds_and_writes_below_its_name() -> None:
    found = statements("Spark", "codepipeline")
    assert set(found) == {"LookAtBucket", "ReadSource", "KeepArtifacts", "Build"}
    projects = images().of_type("Spark", PROJECT)
    arns = [each["Fn::GetAtt"][0] for each in found["Build"]["Resource"]]
    assert sorted(arns) == sorted(projects)
    writes = [sid for sid, each in found.items() if "Put" in json.dumps(each["Action"])]
    assert writes == ["KeepArtifacts"]
    name = images().properties("Spark", PIPELINE)["Name"]
    assert found["KeepArtifacts"]["Resource"]["Fn::Join"][1][-1] == f"/{name}/*"
    # What CodePipeline does not cut off.
    assert len(name) <= 20
    assert set(statements("Own", "codepipeline")) - set(found) == {"DecryptSource"}


def test_names_of_two_images_differ_by_stack_and_path() -> None:
    names = {
        next(each["Properties"]["Name"] for each in found.values() if each["Type"] == PIPELINE)
        for found in (
            template_of(SCIENCE)["Resources"],
            template_of(SCIENCE, "Other")["Resources"],
            images().templates["Spark"]["Resources"],
        )
    }
    assert len(names) == 3


# ---- bad input, names and rights


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (SparkImage, {"spec": replace(SCIENCE, kind=ImageKind.NOTEBOOK_SPARK)}),
        (NotebookImage, {"spec": replace(SCIENCE, kind=ImageKind.SPARK)}),
        (NotebookImage, {"spec": replace(SCIENCE, architectures=(Architecture.ARM64,))}),
        (SparkImage, {"spec": "science"}),
        (SparkImage, {"spec": SCIENCE, "key": "alias/key"}),
        (NotebookImage, {"spec": SCIENCE, "asset_key": "arn:aws:kms:::key/1"}),
    ],
)
def test_bad_input_is_refused_before_anything_is_made(
    make: type[SparkImage], values: dict[str, Any]
) -> None:
    stack = cdk.Stack(new_app(), "Stack")
    with pytest.raises(ConfigError):
        make(stack, "Image", **values)
    assert stack.node.children == []


def test_the_registry_is_what_admission_takes() -> None:
    stack = cdk.Stack(
        new_app(), "Stack", env=cdk.Environment(account="111122223333", region="eu-west-1")
    )
    image = SparkImage(stack, "Image", spec=SCIENCE)
    beginning = stack.resolve(image.registry)["Fn::Join"][1]
    assert beginning[0] == "111122223333.dkr.ecr.eu-west-1."
    assert beginning[-1] == "/emr-eks/science/"
    name = images().properties("Spark", REPOSITORY)["RepositoryName"]
    assert name.startswith("emr-eks/science/")


def test_deploying_needs_no_more_than_its_own_names() -> None:
    found = statements_of(images().outdir)
    repositories = resources(found, "ecr:CreateRepository")
    assert repositories
    assert all(":repository/emr-eks/" in arn for arn in repositories)
    projects = resources(found, "codebuild:CreateProject")
    assert projects
    assert all(":project/" in arn and "*" not in arn.rpartition("/")[2] for arn in projects)
