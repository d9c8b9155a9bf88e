"""A platform shares an app with other resources: their rights are those of CloudFormation."""

from __future__ import annotations

import json
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_ssm as ssm
from aws_cdk.assertions import Template

from cdk_emr_eks.assembly import open_assembly
from cdk_emr_eks.deploy_policy import (
    deploy_policies,
    extra_rights,
    read_extra,
    unknown_types,
)
from cdk_emr_eks.errors import ConfigError
from tests.synth.deploy_policy.deploy_app import by_action, new_app, resources, statements_of

HERE = cdk.Environment(account="111122223333", region="eu-west-1")
ACCOUNT = "arn:aws:iam::111122223333"


def new_stack(folder: Path) -> tuple[cdk.App, cdk.Stack]:
    app = new_app(folder)
    return app, cdk.Stack(app, "Shared", env=HERE)


def test_types_of_other_services_have_the_rights_of_their_handlers(tmp_path: Path) -> None:
    app, stack = new_stack(tmp_path)
    key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    dynamodb.Table(stack, "Runs", partition_key=key)
    cdk.aws_cloudwatch.CfnAlarm(
        stack, "Alarm", comparison_operator="GreaterThanThreshold", evaluation_periods=1
    )
    glue.CfnDatabase(stack, "Lake", catalog_id="111122223333", database_input={"name": "lake"})
    app.synth()
    assert unknown_types(deploy_policies(open_assembly(tmp_path))) == ()
    for action in ("dynamodb:CreateTable", "cloudwatch:PutMetricAlarm", "glue:CreateDatabase"):
        (statement,) = by_action(statements_of(tmp_path), action)
        assert statement["Condition"] == {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}


def test_a_type_without_published_permissions_is_listed(tmp_path: Path) -> None:
    app, stack = new_stack(tmp_path)
    cdk.CfnResource(stack, "Strange", type="AWS::Nowhere::Thing")
    cdk.CfnResource(stack, "Custom", type="Custom::Thing", properties={"ServiceToken": "x"})
    app.synth()
    assert unknown_types(deploy_policies(open_assembly(tmp_path))) == ("AWS::Nowhere::Thing",)
    extra = {"AWS::Nowhere::Thing": [{"Action": "nowhere:CreateThing"}]}
    policies = deploy_policies(open_assembly(tmp_path), extra=extra_rights(extra))
    assert unknown_types(policies) == ()
    assert resources(statements_of(tmp_path, extra), "nowhere:CreateThing") == ["*"]


def test_resources_of_nested_stacks_have_rights(tmp_path: Path) -> None:
    app, stack = new_stack(tmp_path)
    inner = cdk.NestedStack(stack, "Inner")
    cdk.aws_sqs.CfnQueue(inner, "Queue")
    cdk.aws_sqs.CfnQueue(inner, "Named", queue_name="orders")
    app.synth()
    found = statements_of(tmp_path)
    assert resources(found, "sqs:CreateQueue") == [
        "arn:aws:sqs:eu-west-1:111122223333:Shared*",
        "arn:aws:sqs:eu-west-1:111122223333:orders",
    ]
    stacks = resources(found, "cloudformation:CreateStack")
    assert stacks == ["arn:aws:cloudformation:eu-west-1:111122223333:stack/Shared*/*"]
    # CloudFormation reads the template as its role.
    assert resources(found, "s3:GetObject") == [
        "arn:aws:s3:::cdk-*-assets-111122223333-eu-west-1/*"
    ]
    (passing,) = by_action(found, "iam:PassRole")
    assert passing["Resource"] == [f"{ACCOUNT}:role/cdk-*-cfn-exec-role-111122223333-eu-west-1"]


def test_products_of_service_catalog_are_not_deployed_by_cloudformation_s_role(
    tmp_path: Path,
) -> None:
    from aws_cdk import aws_servicecatalog as catalog

    class Product(catalog.ProductStack):
        def __init__(self, scope: cdk.Stack, id: str) -> None:
            super().__init__(scope, id)
            cdk.aws_sqs.CfnQueue(self, "Queue")

    app, stack = new_stack(tmp_path)
    version = catalog.CloudFormationProductVersion(
        cloud_formation_template=catalog.CloudFormationTemplate.from_product_stack(
            Product(stack, "Queues")
        )
    )
    catalog.CloudFormationProduct(
        stack, "Product", product_name="q", owner="o", product_versions=[version]
    )
    app.synth()
    found = statements_of(tmp_path)
    assert resources(found, "servicecatalog:CreateProduct") == ["*"]
    assert resources(found, "sqs:CreateQueue") == []


def test_features_of_known_types_have_rights_only_where_used(tmp_path: Path) -> None:
    app, stack = new_stack(tmp_path)
    rule = s3.CorsRule(allowed_methods=[s3.HttpMethods.GET], allowed_origins=["*"])
    s3.Bucket(stack, "Site", bucket_name="site", cors=[rule])
    s3.Bucket(stack, "Plain", bucket_name="plain")
    app.synth()
    found = statements_of(tmp_path)
    assert resources(found, "s3:PutBucketCORS") == ["arn:aws:s3:::site"]
    assert resources(found, "s3:CreateBucket") == ["arn:aws:s3:::plain", "arn:aws:s3:::site"]


def test_roles_of_other_types_go_to_the_services_that_trust_them(tmp_path: Path) -> None:
    app, stack = new_stack(tmp_path)
    role = iam.Role(
        stack,
        "Role",
        role_name="nightly",
        assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com"),
    )
    window = scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF")
    target = scheduler.CfnSchedule.TargetProperty(arn="arn:aws:x", role_arn=role.role_arn)
    scheduler.CfnSchedule(
        stack,
        "Schedule",
        schedule_expression="rate(1 day)",
        flexible_time_window=window,
        target=target,
    )
    app.synth()
    (passing,) = by_action(statements_of(tmp_path), "iam:PassRole")
    assert passing["Resource"] == [f"{ACCOUNT}:role/nightly"]
    assert passing["Condition"] == {
        "StringEquals": {"iam:PassedToService": ["scheduler.amazonaws.com"]}
    }


def test_an_existing_role_may_be_passed_and_read_but_not_changed(tmp_path: Path) -> None:
    app, stack = new_stack(tmp_path)
    cdk.aws_lambda.CfnFunction(
        stack,
        "Handler",
        role=f"{ACCOUNT}:role/existing",
        code=cdk.aws_lambda.CfnFunction.CodeProperty(),
    )
    app.synth()
    found = statements_of(tmp_path)
    assert resources(found, "iam:PassRole") == [f"{ACCOUNT}:role/existing"]
    assert not by_action(found, "iam:PutRolePolicy")


def test_users_and_groups_of_the_app_are_bound_by_name(tmp_path: Path) -> None:
    app, stack = new_stack(tmp_path)
    group = iam.Group(stack, "Group", group_name="analysts")
    user = iam.User(stack, "User", user_name="ann", groups=[group])
    read = iam.PolicyStatement(actions=["s3:GetObject"], resources=["*"])
    user.add_to_policy(read)
    group.add_to_policy(read)
    user.add_managed_policy(iam.ManagedPolicy.from_aws_managed_policy_name("ReadOnlyAccess"))
    app.synth()
    found = statements_of(tmp_path)
    assert resources(found, "iam:CreateUser") == [f"{ACCOUNT}:user/ann"]
    assert resources(found, "iam:PutUserPolicy") == [f"{ACCOUNT}:user/ann"]
    assert resources(found, "iam:PutGroupPolicy") == [f"{ACCOUNT}:group/analysts"]
    (attaching,) = by_action(found, "iam:AttachUserPolicy")
    assert attaching["Resource"] == [f"{ACCOUNT}:user/ann"]
    assert not by_action(found, "iam:AttachRolePolicy")
    assert attaching["Condition"] == {
        "ArnLike": {"iam:PolicyARN": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}
    }


def test_handlers_of_other_services_change_no_role(tmp_path: Path) -> None:
    """Handlers of some types ask for `iam:PutRolePolicy`, which on any role is administrator."""
    app, stack = new_stack(tmp_path)
    cdk.aws_iam.CfnRole(stack, "Role", role_name="own", assume_role_policy_document={})
    cdk.CfnResource(stack, "Group", type="AWS::AutoScaling::AutoScalingGroup")
    app.synth()
    found = statements_of(tmp_path)
    for statement in by_action(found, "iam:PutRolePolicy"):
        for arn in statement["Resource"]:
            assert arn in (f"{ACCOUNT}:role/own", f"{ACCOUNT}:role/aws-service-role/*")


def test_parameters_and_secrets_of_templates_can_be_read(tmp_path: Path) -> None:
    app, stack = new_stack(tmp_path)
    arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shared-abcdef"
    own = secretsmanager.Secret(stack, "Own")
    values = {
        "public": ssm.StringParameter.value_for_string_parameter(stack, "/aws/service/eks/ami"),
        "typed": ssm.StringParameter.value_for_string_parameter(stack, "/team/size"),
        "secure": "{{resolve:ssm-secure:/team/key:1}}",
        "named": cdk.SecretValue.secrets_manager("db", json_field="user").unsafe_unwrap(),
        "by-arn": f"{{{{resolve:secretsmanager:{arn}:SecretString:user::}}}}",
        "own": own.secret_value.unsafe_unwrap(),
    }
    for name, value in values.items():
        cdk.aws_ssm.CfnParameter(stack, name, name=name, type="String", value=value)
    app.synth()
    found = statements_of(tmp_path)
    here = "eu-west-1:111122223333"
    assert set(resources(found, "ssm:GetParameters")) >= {
        "arn:aws:ssm:eu-west-1::parameter/aws/service/eks/ami",
        f"arn:aws:ssm:{here}:parameter/cdk-bootstrap/*",
        f"arn:aws:ssm:{here}:parameter/team/key",
        f"arn:aws:ssm:{here}:parameter/team/size",
    }
    secret = next(iter(Template.from_stack(stack).find_resources("AWS::SecretsManager::Secret")))
    assert resources(found, "secretsmanager:GetSecretValue") == [
        f"arn:aws:secretsmanager:{here}:secret:{secret}*-*",
        f"arn:aws:secretsmanager:{here}:secret:db-*",
        f"{arn}*",
    ]


def test_policies_of_existing_roles_are_bound_by_name(tmp_path: Path) -> None:
    app, stack = new_stack(tmp_path)
    role = iam.Role.from_role_name(stack, "Existing", "existing")
    role.add_to_principal_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=["*"]))
    app.synth()
    assert resources(statements_of(tmp_path), "iam:PutRolePolicy") == [
        f"{ACCOUNT}:role/*/existing",
        f"{ACCOUNT}:role/existing",
    ]


def test_extra_rights_are_added_to_known_ones(tmp_path: Path) -> None:
    app, stack = new_stack(tmp_path / "out")
    cdk.aws_sqs.CfnQueue(stack, "Queue", queue_name="orders")
    app.synth()
    file = tmp_path / "extra.json"
    arn = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${QueueName}"
    condition = {"StringEquals": {"aws:PrincipalTag/team": "${aws:ResourceTag/team}"}}
    statement = {"Action": ["sqs:ReceiveMessage"], "Resource": arn, "Condition": condition}
    file.write_text(json.dumps({"AWS::SQS::Queue": [statement]}))
    assert read_extra(file)
    found = statements_of(tmp_path / "out", json.loads(file.read_text()))
    (added,) = by_action(found, "sqs:ReceiveMessage")
    assert added["Resource"] == ["arn:aws:sqs:eu-west-1:111122223333:orders"]
    # Variables of IAM stay.
    assert added["Condition"] == condition
    assert by_action(found, "sqs:CreateQueue")


@pytest.mark.parametrize(
    ("rights", "message"),
    [
        ([], "rights must be a mapping of resource types to lists of IAM statements, got []"),
        ({"T": {}}, "T must be a list of IAM statements, got {}"),
        ({"T": ["x"]}, "T must be a mapping with Action, and of Action, Condition, Effect"),
        ({"T": [{"Resource": "*"}]}, "T must be a mapping with Action"),
        ({"T": [{"Action": "a:B", "NotAction": "x"}]}, "T must be a mapping with Action"),
        ({"T": [{"Action": "a:B", "Effect": "Deny"}]}, "T Effect must be Allow, got 'Deny'"),
        ({"T": [{"Action": "admin"}]}, "T Action must be service:Verb, got 'admin'"),
    ],
)
def test_wrong_extra_rights_are_refused(rights: object, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        extra_rights(rights)
    assert message in str(refused.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="file must be readable"):
        read_extra(tmp_path / "none.json")
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    with pytest.raises(ConfigError, match="file must be JSON"):
        read_extra(broken)
