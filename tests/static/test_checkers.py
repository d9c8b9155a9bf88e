"""Each static checker catches a planted defect, and passes what is right."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.security.suppressions import managed_policy, skip_checkov, suppress, wildcard
from tests.contract import upstream
from tests.static import suppressions
from tests.static.arn_overlap import overlaps
from tests.static.checkov import PROGRAM, checkov_findings
from tests.static.iam import check_iam
from tests.static.lint import lint_all
from tests.static.nag import nag_report
from tests.static.service_data import ADDITIONS, MORE_KEYS, MORE_TYPES, _definition, expand
from tests.static.statements import statements


def role(*items: Mapping[str, object], document: object = None) -> dict[str, object]:
    """A template with one managed policy."""
    found = document or {"Version": "2012-10-17", "Statement": list(items)}
    properties = {"PolicyDocument": found}
    return {"Resources": {"P": {"Type": "AWS::IAM::ManagedPolicy", "Properties": properties}}}


def allow(action: object, resource: object, **more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


ARN = "arn:<AWS::Partition>"
CLUSTERS = f"{ARN}:emr-containers:*:*:/virtualclusters/*"
QUEUE = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":sqs:*:*:queue"]]}


def test_karpenter_s_published_policies_pass() -> None:
    template = {"Resources": upstream.karpenter_resources()}
    report = check_iam(template, suppressions.IAM_STARS)
    assert report.problems == ()
    assert report.used == {"AllowZonalShiftStatusReadOnly"}
    assert {"ec2:RunInstances", "iam:PassRole", "sqs:SendMessage"} <= report.actions
    assert any("can be narrowed" in problem for problem in check_iam(template, {}).problems)


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (allow("sqs:RecieveMessage", QUEUE), "no action of AWS is called sqs:RecieveMessage"),
        (allow("sqqs:ReceiveMessage", QUEUE), "no action of AWS is called sqqs"),
        (allow("sqs:Recieve*", QUEUE), "no action of AWS is called sqs:Recieve"),
        (allow("*", "*"), "grants every action"),
        (allow("sqs:SendMessage", "*"), "can be narrowed to ['queue']"),
        (allow("sqs:Send*", "*"), "can be narrowed to ['queue']"),
        (allow("sqs:SendMessage", "arn:aws:sqs:*:*:queue"), "names a partition"),
        (allow("s3:GetObject", f"{ARN}:s3:::bucket"), "takes ['accesspoint"),
        (
            allow("s3:ListBucket", f"{ARN}:s3:::bucket/*"),
            "arn:aws:s3:::bucket/* is no resource",
        ),
        (
            allow("ec2:DescribeSubnets", f"{ARN}:ec2:*:*:subnet/*"),
            "cannot be narrowed",
        ),
        (
            allow(["sqs:SendMessage"], [QUEUE, f"{ARN}:sns:*:*:topic"]),
            "sns:*:*:topic is no resource of any",
        ),
        (
            allow("sqs:SendMessage", QUEUE, Condition={"StringEquals": {"sqs:Colour": "red"}}),
            "sqs:SendMessage does not carry the condition key sqs:Colour",
        ),
        (
            allow(
                "emr-containers:StartJobRun",
                CLUSTERS,
                Condition={"ArnLike": {"emr-containers:ExecutionRole": "*"}},
            ),
            "does not carry the condition key emr-containers:ExecutionRole",
        ),
        (
            allow(
                "sqs:SendMessage",
                QUEUE,
                Condition={"ForAllValues:StringEquals": {"ec2:CreateAction": "x"}},
            ),
            "no action of it carries the condition key ec2:CreateAction",
        ),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, "NotAction is not used"),
    ],
)
def test_iam_defects_are_found(statement: dict[str, object], problem: str) -> None:
    (first, *_) = [p for p in check_iam(role(statement), {}).problems if problem in p] or [""]
    assert first, check_iam(role(statement), {}).problems


@pytest.mark.parametrize(
    "statement",
    [
        allow("sqs:SendMessage", QUEUE),
        allow(["s3:GetObject*", "s3:ListBucket"], [f"{ARN}:s3:::b", f"{ARN}:s3:::b/*"]),
        allow("ec2:DescribeSubnets", "*", Condition={"StringEquals": {"ec2:Region": "x"}}),
        allow("emr-containers:UpdateVirtualCluster", CLUSTERS),
        allow("logs:PutLogEvents", f"{ARN}:logs:*:*:log-group:/emr/a:log-stream:jobs/*"),
        allow("logs:DescribeLogGroups", f"{ARN}:logs:*:*:log-group:*"),
        allow(
            "kms:Describe*",
            f"{ARN}:kms:*:*:key/*",
            Condition={"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
        ),
        allow("sqs:SendMessage", {"Fn::ImportValue": "other"}),
        allow(
            "emr-containers:StartJobRun",
            CLUSTERS,
            Condition={"ArnLike": {"emr-containers:ExecutionRoleArn": "*"}},
        ),
    ],
)  # fmt: skip
def test_right_statements_pass(statement: dict[str, object]) -> None:
    assert check_iam(role(statement), {}).problems == ()


def test_every_suppression_has_a_reason() -> None:
    assert all(
        reason.strip() for reason in (*suppressions.LINT.values(), *suppressions.IAM_STARS.values())
    )


def test_an_exception_excuses_only_its_own_statement() -> None:
    one, two = allow("sqs:SendMessage", "*", Sid="One"), allow("sqs:DeleteMessage", "*", Sid="Two")
    report = check_iam(role(one, two), {"One": "reason"})
    assert report.used == {"One"}
    (problem,) = report.problems
    assert "statement Two" in problem


@pytest.mark.parametrize("form", ["text", "sub", "sub_with_names", "join"])
def test_policies_as_text_are_read(form: str) -> None:
    text = json.dumps({"Statement": [allow("sqs:Typo", "arn:@:sqs:*:*:queue")]})
    head, tail = text.split("@")
    document = {
        "text": text,
        "sub": {"Fn::Sub": text.replace("@", "${AWS::Partition}")},
        "sub_with_names": {"Fn::Sub": [text.replace("@", "${P}"), {"P": {"Ref": "X"}}]},
        "join": {"Fn::Join": ["", [head, {"Ref": "AWS::Partition"}, tail]]},
    }[form]
    (problem,) = check_iam(role(document=document), {}).problems
    assert "sqs:Typo" in problem


def test_statements_are_found_in_any_resource() -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "x"}, "Action": "sts:AssumeRol"}
    resources = {
        "R": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {"Statement": [trust]},
                "Policies": [{"PolicyDocument": {"Statement": allow("sqs:Typo", QUEUE)}}],
            },
        },
        "K": {
            "Type": "AWS::KMS::Key",
            "Properties": {"KeyPolicy": {"Statement": [allow("kms:Typo", "*", Principal="*")]}},
        },
        "E": {
            "Type": "AWS::EKS::PodIdentityAssociation",
            "Properties": {"Policy": json.dumps({"Statement": [allow("s3:Typo", "*")]})},
        },
        "C": {
            "Type": "Custom::AnythingNew",
            "Properties": {
                "Deep": [{"Er": {"Statement": [{"Fn::If": ["c", allow("x:Y", "*"), trust]}]}}]
            },
        },
    }
    actions = sorted(a for s in statements({"Resources": resources}) for a in s.actions)
    assert actions == [
        "kms:Typo", "s3:Typo", "sqs:Typo", "sts:AssumeRol", "sts:AssumeRol", "x:Y",
    ]  # fmt: skip
    assert len(check_iam({"Resources": resources}, {}).problems) == 6


def test_the_arn_of_a_resource_has_its_type() -> None:
    template = role(allow("sqs:SendMessage", {"Fn::GetAtt": ["B", "Arn"]}))
    resources = template["Resources"]
    assert isinstance(resources, dict)
    resources["B"] = {"Type": "AWS::SNS::Topic"}
    (action, resource) = check_iam(template, {}).problems
    assert "takes ['queue']" in action
    assert "is no resource of any" in resource
    resources["B"] = {"Type": "AWS::SQS::Queue"}
    assert check_iam(template, {}).problems == ()


@pytest.mark.parametrize(
    ("pattern", "kind", "expected"),
    [
        ("arn:aws:s3:::b", "arn:${P}:s3:::${BucketName}", True),
        ("arn:aws:s3:::b/*", "arn:${P}:s3:::${BucketName}", False),
        ("arn:aws:s3:::b/*", "arn:${P}:s3:::${BucketName}/${ObjectName}", True),
        ("arn:aws:s3:::*", "arn:${P}:s3:::${BucketName}/${ObjectName}", True),
        ("arn:aws:ec2:*:*:instance/*", "arn:${P}:ec2:${R}:${A}:instance/${I}", True),
        ("arn:aws:ec2:*:*:subnet/*", "arn:${P}:ec2:${R}:${A}:instance/${I}", False),
        ("arn:aws:iam::1:role/a/b", "arn:${P}:iam::${A}:role/${RoleNameWithPath}", True),
        ("<?Anything>", "arn:${P}:iam::${A}:role/${RoleNameWithPath}", True),
        ("arn:aws:ssm:us-east-1::parameter/aws/*", "arn:${P}:ssm:${R}:${A}:parameter/${N}", True),
    ],
)
def test_arns_overlap(pattern: str, kind: str, expected: bool) -> None:
    assert overlaps(pattern, kind) is expected


def test_additions_are_dropped_once_the_data_has_them() -> None:
    for action in ADDITIONS:
        prefix, _, name = action.name.partition(":")
        privileges = _definition()[prefix]["privileges"]
        assert isinstance(privileges, dict)
        assert name not in privileges
        assert expand(action.name) == (action,)
    for name, kinds in MORE_TYPES.items():
        prefix, _, action_name = name.partition(":")
        privileges = _definition()[prefix]["privileges"]
        assert isinstance(privileges, dict)
        assert not kinds.keys() & privileges[action_name]["resource_types"].keys()
    for name, keys in MORE_KEYS.items():
        (known,) = expand(name)
        # Once, that is: by us and not by the data as well.
        assert all([*sum(known.keys.values(), ())].count(key) == 1 for key in keys)


def template_with(properties: dict[str, object], **metadata: object) -> str:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": properties, "Metadata": metadata}
    return json.dumps({"Resources": {"B": bucket}})


def test_cfn_lint_finds_a_mistaken_property() -> None:
    assert lint_all({"good": template_with({"BucketName": "bucket"})}, {}) == ()
    (finding,) = lint_all({"bad": template_with({"BucketNam": "bucket"})}, {})
    assert finding.startswith("bad: Resources/B/Properties/BucketNam: E3002: ")
    assert lint_all({"bad": template_with({"BucketNam": "b"})}, {"E3002": "for this test"}) == ()


@pytest.mark.skipif(not PROGRAM.exists(), reason="checkov is installed by `make test`")
def test_checkov_finds_a_public_bucket_and_idle_skips(tmp_path: Path) -> None:
    skips = [
        {"id": "CKV_AWS_18", "comment": ""},
        {"id": "CKV_AWS_21", "comment": "kept on purpose"},
        {"id": "CKV_AWS_158", "comment": "not a check for buckets"},
    ]
    path = tmp_path / "bad.template.json"
    path.write_text(template_with({}, checkov={"skip": skips}))
    found = checkov_findings([path])
    bucket = "bad.template.json: AWS::S3::Bucket.B: "
    assert f"{bucket}CKV_AWS_53: Ensure S3 bucket has block public ACLs enabled" in found
    assert f"{bucket}CKV_AWS_18: skipped without a reason" in found
    assert f"{bucket}CKV_AWS_158: skipped, though it is not applied there" in found
    assert not [text for text in found if "CKV_AWS_21" in text]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> cdk.App:
    app = cdk.App(outdir=str(tmp_path_factory.mktemp("nag")), analytics_reporting=False)
    stack = cdk.Stack(app, "S")
    bucket = s3.Bucket(stack, "Bucket")
    other = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
    statement = iam.PolicyStatement(
        sid="Read", actions=["s3:GetObject"], resources=[bucket.arn_for_objects("*")]
    )
    policy = iam.ManagedPolicy(stack, "Policy", roles=[other], statements=[statement])
    suppress(policy, {wildcard(policy, bucket.arn_for_objects("*")): "all of its objects"})
    arn = f"arn:{stack.partition}:iam::aws:policy/ReadOnlyAccess"
    other.add_managed_policy(iam.ManagedPolicy.from_managed_policy_arn(stack, "Managed", arn))
    suppress(stack, {managed_policy(stack, arn): "AWS maintains it"})
    suppress(bucket, {"AwsSolutions-S10": "for this test", "AwsSolutions-EC23": "stale"})
    cdk.Validations.of(bucket).acknowledge(
        cdk.Acknowledgment(id="AwsSolutions-S5", reason="without the pack's name"),
    )
    resource = bucket.node.default_child
    assert isinstance(resource, cdk.CfnResource)
    skip_checkov(resource, {"CKV_AWS_18": "access is logged by CloudTrail"})
    app.synth()
    return app


def test_nag_reports_what_nothing_accepts(app: cdk.App) -> None:
    report = nag_report(app)
    assert report.findings == (
        "S/Bucket/Resource: AwsSolutions-S1: The S3 Bucket has server access logs disabled.",
    )
    assert report.stale == ("S/Bucket: AwsSolutions-EC23",)
    (wrong,) = report.wrong
    assert "write AwsSolutions::AwsSolutions-S5" in wrong


def test_a_skip_stands_in_the_template(app: cdk.App) -> None:
    template = json.loads((Path(app.outdir) / "S.template.json").read_text())
    (bucket,) = [r for r in template["Resources"].values() if r["Type"] == "AWS::S3::Bucket"]
    assert bucket["Metadata"]["checkov"] == {
        "skip": [{"id": "CKV_AWS_18", "comment": "access is logged by CloudTrail"}]
    }


@pytest.mark.parametrize("findings", [{"S1": "why"}, {"AwsSolutions-S1": " "}])
def test_a_finding_without_name_or_reason_is_refused(findings: dict[str, str]) -> None:
    stack = cdk.Stack(cdk.App(), "S")
    with pytest.raises(ConfigError, match="Suppressions of 'S'"):
        suppress(stack, findings)


def test_karpenter_s_resources_are_not_shared() -> None:
    before = copy.deepcopy(dict(upstream.karpenter_resources()))
    check_iam({"Resources": upstream.karpenter_resources()}, {})
    assert upstream.karpenter_resources() == before
