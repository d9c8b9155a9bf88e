"""What a Studio makes, in which order it goes, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.assertions import Template

from cdk_emr_eks.diff.replacement import REPLACING
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.labels import EMR_MANAGED_TAG
from cdk_emr_eks.model.notebooks.studio import GitAccess, GitSecrets, IdentityCenterAuth, StudioSpec
from cdk_emr_eks.networks.network import NetworkSpec
from cdk_emr_eks.notebooks.studio import EmrStudio
from cdk_emr_eks.notebooks.studio_network import StudioNetwork
from tests.synth.deploy_policy.deploy_app import statements_of
from tests.synth.notebooks.studio_app import CENTER, SUBNETS, imported_network, studio_app
from tests.synth.platforms.platform_parts import add_network, needs

STUDIO = "AWS::EMR::Studio"


def of(studio: str) -> dict[str, Any]:
    return studio_app().one(studio, STUDIO)


def new_studio(spec: StudioSpec | None = None) -> EmrStudio:
    stack = cdk.Stack(cdk.App(), "Notebooks")
    wanted = spec or StudioSpec(name="demo")
    return EmrStudio(stack, "Studio", spec=wanted, network=imported_network(stack))


def test_iam_mode_has_no_settings_of_another() -> None:
    studio = of("plain")
    assert studio["AuthMode"] == "IAM"
    assert studio["Name"] == "plain"
    others = ("User", "Id", "Trusted")
    assert not [key for key in studio if key.startswith(others)]
    assert studio_app().studios["plain"].user_role is None


def test_federation_is_iam_mode_with_the_provider_s_page() -> None:
    studio = of("federated")
    assert studio["AuthMode"] == "IAM"
    assert studio["IdpAuthUrl"].startswith("https://idp.example.com/")
    assert studio["IdpRelayStateParameterName"] == "TargetResource"
    assert "UserRole" not in studio


def test_identity_center_has_its_instance_and_a_user_role() -> None:
    studio = of("center")
    assert studio["AuthMode"] == "SSO"
    assert studio["IdcInstanceArn"] == CENTER
    assert studio["IdcUserAssignment"] == "REQUIRED"
    assert studio["TrustedIdentityPropagationEnabled"] is False
    assert "UserRole" in studio["UserRole"]["Fn::GetAtt"][0]
    propagated = of("propagated")
    assert propagated["IdcUserAssignment"] == "OPTIONAL"
    assert propagated["TrustedIdentityPropagationEnabled"] is True


def test_two_studios_of_a_stack_share_nothing_but_the_network() -> None:
    plain, shared = of("plain"), of("shared")
    assert plain["SubnetIds"] == shared["SubnetIds"]
    assert len(plain["SubnetIds"]) == 3
    own = ("ServiceRole", "DefaultS3Location", "EncryptionKeyArn")
    for key in (*own, "EngineSecurityGroupId", "WorkspaceSecurityGroupId"):
        assert plain[key] != shared[key]
    assert shared["Description"] == "Authors of notebooks"
    assert shared["Tags"] == [{"Key": "cost-center", "Value": "42"}]


def test_another_name_is_no_reason_for_another_studio() -> None:
    def replacing(name: str) -> dict[str, object]:
        studio = new_studio(StudioSpec(name=name))
        found = Template.from_stack(cdk.Stack.of(studio)).to_json()["Resources"]
        return {
            id: {key: item["Properties"].get(key) for key in REPLACING[item["Type"]]}
            for id, item in found.items()
            if item["Type"] in REPLACING
        }

    assert replacing("before") == replacing("after")


def test_outputs_say_where_the_studio_is() -> None:
    values = [each["Value"] for each in studio_app().template("Propagated")["Outputs"].values()]
    attributes = [each["Fn::GetAtt"][1] for each in values if "Fn::GetAtt" in each]
    assert attributes == ["Url", "StudioId"]
    assert any("s3://" in json.dumps(each) for each in values)


def test_a_bucket_is_encrypted_versioned_closed_and_kept() -> None:
    (bucket,) = studio_app().under("plain", "AWS::S3::Bucket").values()
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    properties = bucket["Properties"]
    (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    (key,) = studio_app().under("plain", "AWS::KMS::Key")
    assert rule["ServerSideEncryptionByDefault"] == {
        "KMSMasterKeyID": {"Fn::GetAtt": [key, "Arn"]},
        "SSEAlgorithm": "aws:kms",
    }
    assert of("plain")["EncryptionKeyArn"] == {"Fn::GetAtt": [key, "Arn"]}
    assert rule["BucketKeyEnabled"] is True
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    (lifecycle,) = properties["LifecycleConfiguration"]["Rules"]
    assert lifecycle["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    (policy,) = studio_app().under("plain", "AWS::S3::BucketPolicy").values()
    (deny,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert deny["Effect"] == "Deny"
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_key_is_kept_with_the_bucket_and_rotates() -> None:
    (kept,) = studio_app().under("plain", "AWS::KMS::Key").values()
    assert kept["DeletionPolicy"] == "Retain"
    assert kept["Properties"]["EnableKeyRotation"] is True
    (gone,) = studio_app().under("center", "AWS::KMS::Key").values()
    (bucket,) = studio_app().under("center", "AWS::S3::Bucket").values()
    assert gone["DeletionPolicy"] == bucket["DeletionPolicy"] == "Delete"
    logging = bucket["Properties"]["LoggingConfiguration"]
    assert logging == {
        "DestinationBucketName": "access-logs-of-the-company",
        "LogFilePrefix": "emr-studio/",
    }


def test_a_given_bucket_and_key_are_used_and_none_is_made() -> None:
    made = {item["Type"] for item in studio_app().template("Federated")["Resources"].values()}
    assert not {"AWS::S3::Bucket", "AWS::KMS::Key", "AWS::S3::BucketPolicy"} & made
    studio = of("federated")
    assert studio["DefaultS3Location"] == "s3://notebooks-of-the-company/studio/files"
    assert json.dumps(studio["EncryptionKeyArn"]).endswith(':key/studio"]]}')
    files = studio_app().statements("federated")["AllowWorkspaceFiles"]["Resource"]
    assert json.dumps(files).endswith(':s3:::notebooks-of-the-company/studio/files/*"]]}')


@pytest.mark.parametrize("name", ["plain", "federated", "center"])
def test_the_studio_goes_before_what_emr_cleans_up_with(name: str) -> None:
    app = studio_app()
    stack = cdk.Stack.of(app.studios[name]).stack_name
    (studio,) = app.under(name, STUDIO)
    later = needs(app.template(stack)["Resources"], studio)
    for kind in (
        *("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::S3::BucketPolicy"),
        *("AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress"),
    ):
        assert app.under(name, kind).keys() <= later, kind


def test_an_endpoint_is_reached_by_two_rules_in_its_stack() -> None:
    found = studio_app().template("Endpoints")["Resources"]
    (out,) = [each for each in found.values() if each["Type"].endswith("Egress")]
    (into,) = [each for each in found.values() if each["Type"].endswith("Ingress")]
    group = {"Fn::GetAtt": ["Endpoint", "SecurityGroup"]}
    workspace = out["Properties"]["GroupId"]
    assert "Workspace" in workspace["Fn::ImportValue"]
    ports = {"IpProtocol": "tcp", "FromPort": 18888, "ToPort": 18888}
    assert {**ports, "DestinationSecurityGroupId": group}.items() <= out["Properties"].items()
    wanted = {**ports, "GroupId": group, "SourceSecurityGroupId": workspace}
    assert wanted.items() <= into["Properties"].items()
    # Neither opens anything to addresses.
    assert not {"CidrIp", "CidrIpv6"} & {*out["Properties"], *into["Properties"]}


def test_endpoints_are_as_many_as_the_group_takes_rules() -> None:
    spec = StudioSpec(name="demo", git=True, rules_per_security_group=4)
    studio = new_studio(spec)
    for name in ("one", "two"):
        studio.connect_endpoint(name, "sg-0123456789abcdef0")
    with pytest.raises(ConfigError, match="must be at most 2 with 4 outbound rules"):
        studio.connect_endpoint("three", "sg-0123456789abcdef0")


def test_an_endpoint_is_connected_once() -> None:
    studio = new_studio()
    studio.connect_endpoint("etl", "sg-0123456789abcdef0")
    with pytest.raises(ConfigError, match="must be connected once, got 'etl'"):
        studio.connect_endpoint("etl", "sg-0123456789abcdef0")


def test_a_studio_with_propagation_takes_no_endpoint() -> None:
    auth = IdentityCenterAuth(instance_arn=CENTER, trusted_identity_propagation=True)
    studio = new_studio(StudioSpec(name="demo", auth=auth, emr_on_eks=False))
    with pytest.raises(ConfigError, match="emr_on_eks must be True"):
        studio.connect_endpoint("etl", "sg-0123456789abcdef0")


def test_a_shared_secret_is_tagged_and_its_key_readable_through_secrets_manager() -> None:
    found = studio_app().template("Two")["Resources"]
    (secret,) = [each for each in found.values() if each["Type"] == "AWS::SecretsManager::Secret"]
    assert secret["Properties"]["Tags"] == [{"Key": EMR_MANAGED_TAG, "Value": "true"}]
    decrypt = studio_app().statements("shared")["kms:Decrypt"]
    assert decrypt["Resource"]["Fn::GetAtt"][0].startswith("SecretKey")
    through = decrypt["Condition"]["StringEquals"]["kms:ViaService"]
    assert through["Fn::Join"][1][0] == "secretsmanager."


def test_a_secret_is_shared_only_where_the_service_role_reads_secrets() -> None:
    studio = new_studio(StudioSpec(name="demo", git=True))
    stack = cdk.Stack.of(studio)
    secret = cast(secretsmanager.ISecret, secretsmanager.Secret(stack, "Token"))
    with pytest.raises(ConfigError, match=r"must be GitAccess\(secrets=GitSecrets.SERVICE\)"):
        studio.share_git_secret(secret)


def test_an_imported_secret_is_refused_since_it_keeps_its_tags() -> None:
    git = GitAccess(secrets=GitSecrets.SERVICE)
    studio = new_studio(StudioSpec(name="demo", git=git))
    arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:git-AbCdEf"
    secret = secretsmanager.Secret.from_secret_complete_arn(cdk.Stack.of(studio), "Token", arn)
    with pytest.raises(ConfigError, match="must be created in this app; tag"):
        studio.share_git_secret(secret)


def vpc_of(stack: cdk.Stack, private: int = 2) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["eu-west-1a"],
        private_subnet_ids=[f"subnet-{number:017x}" for number in range(private)],
        public_subnet_ids=["subnet-0fffffffffffffff0"],
    )


Bad = Callable[[cdk.Stack], object]
BAD_NETWORKS: dict[str, tuple[Bad, str]] = {
    "no subnet": (
        lambda stack: StudioNetwork(vpc=vpc_of(stack), subnets=()),
        "must be 1 to 5 different subnets, got 'none'",
    ),
    "six subnets": (
        lambda stack: StudioNetwork(
            vpc=(vpc := vpc_of(stack, private=6)), subnets=tuple(vpc.private_subnets)
        ),
        "must be 1 to 5 different subnets",
    ),
    "one twice": (
        lambda stack: StudioNetwork(
            vpc=(vpc := vpc_of(stack)), subnets=(*vpc.private_subnets[:1],) * 2
        ),
        "must be 1 to 5 different subnets",
    ),
    "public": (
        lambda stack: StudioNetwork(
            vpc=(vpc := vpc_of(stack)), subnets=(*vpc.private_subnets, *vpc.public_subnets)
        ),
        "must be private",
    ),
    "an id": (
        lambda stack: StudioNetwork(vpc="vpc-0123456789abcdef0", subnets=()),  # type: ignore[arg-type]
        "vpc must be IVpc",
    ),
}


@pytest.mark.parametrize("name", BAD_NETWORKS)
def test_bad_networks_are_refused(name: str) -> None:
    make, words = BAD_NETWORKS[name]
    with pytest.raises(ConfigError) as error:
        make(cdk.Stack(cdk.App(), "Bad"))
    assert words in str(error.value)


def test_of_a_platform_with_six_zones_a_studio_has_five_subnets() -> None:
    platform = add_network(cdk.Stack(cdk.App(), "Six"), NetworkSpec(zones=6, flow_logs=False))
    network = StudioNetwork.of(platform)
    assert network.subnets == platform.node_subnets[:5]
    assert network.vpc is platform.vpc


def test_arguments_of_other_types_are_refused_before_anything_is_made() -> None:
    stack = cdk.Stack(cdk.App(), "Bad")
    network = imported_network(stack)
    spec = StudioSpec(name="demo")
    with pytest.raises(ConfigError, match="spec must be StudioSpec"):
        EmrStudio(stack, "A", spec="demo", network=network)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="network must be StudioNetwork"):
        EmrStudio(stack, "A", spec=spec, network=network.vpc)  # type: ignore[arg-type]
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "notebooks")
    with pytest.raises(ConfigError, match="access_logs must not be given with bucket"):
        EmrStudio(stack, "A", spec=spec, network=network, bucket=bucket, access_logs=bucket)
    assert stack.node.try_find_child("A") is None


def test_rights_on_identity_center_are_for_who_deploys_one_that_uses_it() -> None:
    def actions(*studios: str) -> set[str]:
        app = cdk.App(analytics_reporting=False)
        for name in studios:
            stack = cdk.Stack(app, name)
            auth = IdentityCenterAuth(instance_arn=CENTER)
            spec = StudioSpec(name=name, auth=auth) if name == "sso" else StudioSpec(name=name)
            EmrStudio(stack, "Studio", spec=spec, network=imported_network(stack))
        statements = statements_of(Path(app.synth().directory))
        return {action for each in statements for action in each["Action"]}

    plain, center = actions("iam"), actions("iam", "sso")
    assert not {action for action in plain if action.startswith("sso")}
    more = center - plain
    assert "sso:CreateApplication" in more
    assert {action.partition(":")[0] for action in more} == {"sso"}


def test_imported_subnets_are_those_that_were_given() -> None:
    assert of("federated")["SubnetIds"] == list(SUBNETS)
