"""A Studio's roles, key and security groups against EMR's guide."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from cdk_emr_eks.assembly.text_view import TextView
from cdk_emr_eks.labels import EMR_MANAGED_TAG
from tests.contract import upstream
from tests.synth.notebooks.studio_app import SUBNETS, studio_app

ROLE: Final = upstream.studio()["service_role"]
GUIDE: Final[dict[str, Any]] = {each["Sid"]: each for each in ROLE["statements"]}
SECRETS: Final = "AllowSecretsManagerReadOnlyActionsWithEMRTags"
PEOPLE: Final = "AllowWorkspaceCollaboration"
LISTS: Final = "AllowWorkspaceCollaborationLists"
IN_VPC: Final = "AllowDefaultEC2SecurityGroupsCreationInVPCWithEMRTags"
IN_SUBNETS: Final = "AllowEC2ENICreationInSubnetAndSecurityGroupWithEMRTags"
OURS: Final = "AllowEC2ENICreationInStudioSubnets"
# Where we name the very VPC and subnets, the guide names a tag instead.
BY_ID: Final = {IN_VPC, IN_SUBNETS}
STORAGE: Final = {
    "AllowWorkspaceFiles",
    "AllowWorkspaceBucket",
    "AllowEMRStudioWorkspaceStorageEncryptionAccess",
    "AllowKeyDescription",
}


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text(value: Any) -> str:
    """An ARN with pseudo parameters and references as in Fn::Sub."""
    return TextView({}).text(value)


def widened(arn: Any) -> str:
    """Our ARN as the guide has it: any region, any account, partition aws."""
    found = text(arn)
    if found == "*":
        return found
    assert found.startswith("arn:${AWS::Partition}:"), found
    for ours, guide in (("Partition", "aws"), ("Region", "*"), ("AccountId", "*")):
        found = found.replace(f"${{AWS::{ours}}}", guide)
    return found


@pytest.mark.parametrize("sid", sorted(set(GUIDE) - BY_ID - {PEOPLE}))
def test_statements_are_the_guide_s_in_this_account_and_region(sid: str) -> None:
    ours, guide = studio_app().statements("shared")[sid], GUIDE[sid]
    assert set(many(ours["Action"])) == set(guide["Action"])
    assert ours.get("Condition") == guide.get("Condition")
    narrowed = [widened(each) for each in many(ours["Resource"])]
    if guide["Resource"] == ["*"] and narrowed != ["*"]:
        # The guide asks to name the resources where that is possible.
        kinds = {
            "AllowEMRReadOnlyActions": {"arn:aws:elasticmapreduce:*:*:cluster/*"},
            "AllowEC2SecurityGroupActionsWithEMRTags": {
                "arn:aws:ec2:*:*:security-group/*",
                "arn:aws:ec2:*:*:network-interface/*",
            },
        }
        assert set(narrowed) == kinds[sid]
    else:
        assert set(narrowed) == set(guide["Resource"])


@pytest.mark.parametrize("sid", ROLE["must_not_be_changed"])
def test_two_statements_are_the_guide_s_to_the_letter(sid: str) -> None:
    ours, guide = studio_app().statements("plain")[sid], GUIDE[sid]
    arns = [text(each).replace("${AWS::Partition}", "aws") for each in many(ours["Resource"])]
    assert arns == guide["Resource"]
    assert many(ours["Action"]) == guide["Action"]
    assert ours["Condition"] == guide["Condition"]


def test_the_vpc_and_the_subnets_are_named_instead_of_their_tags() -> None:
    ours = studio_app().statements("federated")
    begin = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:"
    (vpc,) = many(ours[IN_VPC]["Resource"])
    assert text(vpc) == f"{begin}vpc/vpc-0123456789abcdef0"
    subnets = [text(each) for each in ours[OURS]["Resource"]]
    assert subnets == [f"{begin}subnet/{subnet}" for subnet in SUBNETS]
    assert "Condition" not in ours[IN_VPC]
    assert "Condition" not in ours[OURS]
    # What is left of the guide's statement: groups, by tag.
    guide = GUIDE[IN_SUBNETS]
    assert [widened(each) for each in many(ours[IN_SUBNETS]["Resource"])] == guide["Resource"][1:]
    assert ours[IN_SUBNETS]["Condition"] == guide["Condition"]
    for sid in BY_ID:
        assert many(ours[sid]["Action"]) == GUIDE[sid]["Action"]
    assert many(ours[OURS]["Action"]) == guide["Action"]


def test_people_are_looked_up_only_where_they_are() -> None:
    def actions(studio: str) -> set[str]:
        ours = studio_app().statements(studio)
        return {*ours[PEOPLE]["Action"], *ours[LISTS]["Action"]}

    guide = set(GUIDE[PEOPLE]["Action"])
    assert actions("shared") == {action for action in guide if action.startswith("iam:")}
    assert actions("center") == guide


def test_nothing_is_granted_beyond_the_guide() -> None:
    always = set(GUIDE) - {SECRETS, PEOPLE} | {OURS} | STORAGE
    people = {PEOPLE, LISTS}
    assert set(studio_app().statements("plain")) == always | people
    assert set(studio_app().statements("shared")) == always | people | {SECRETS, "kms:Decrypt"}
    assert set(studio_app().statements("federated")) == always
    assert set(studio_app().statements("center")) == always | people
    assert set(studio_app().statements("propagated")) == always


def test_the_bucket_and_its_key_are_used_as_the_guide_says() -> None:
    ours = studio_app().statements("plain")
    s3 = [*ours["AllowWorkspaceFiles"]["Action"], *ours["AllowWorkspaceBucket"]["Action"]]
    assert sorted(s3) == sorted(ROLE["s3_actions"])
    use = ours["AllowEMRStudioWorkspaceStorageEncryptionAccess"]
    kms = [*use["Action"], ours["AllowKeyDescription"]["Action"]]
    assert sorted(kms) == sorted(ROLE["kms_actions"])


def test_the_key_s_policy_names_the_service_role() -> None:
    guide = upstream.studio()["key_policy"]
    policy = studio_app().one("plain", "AWS::KMS::Key")["KeyPolicy"]
    ours = {each.get("Sid"): each for each in policy["Statement"]}[guide["Sid"]]
    assert sorted(ours["Action"]) == sorted(guide["Action"])
    assert ours["Resource"] == guide["Resource"]
    (role,) = studio_app().under("plain", "AWS::IAM::Role")
    assert ours["Principal"] == {"AWS": {"Fn::GetAtt": [role, "Arn"]}}
    given = {key: text(value) for key, value in ours["Condition"]["StringEquals"].items()}
    assert given == {
        "kms:CallerAccount": "${AWS::AccountId}",
        "kms:ViaService": "s3.${AWS::Region}.${AWS::URLSuffix}",
    }
    # The bucket, which is made after its key, is in the role's own statement instead.
    context = "kms:EncryptionContext:aws:s3:arn"
    use = studio_app().statements("plain")["AllowEMRStudioWorkspaceStorageEncryptionAccess"]
    assert set(guide["Condition"]["StringEquals"]) - set(given) == {context}
    (bucket,) = studio_app().under("plain", "AWS::S3::Bucket")
    names = [text(each) for each in use["Condition"]["StringLike"][context]]
    assert names == [f"${{{bucket}.Arn}}", f"${{{bucket}.Arn}}/*"]


def test_only_emr_of_the_account_takes_the_service_role() -> None:
    guide = ROLE["trust"]
    role = studio_app().one("plain", "AWS::IAM::Role")
    (ours,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert ours["Action"] == guide["Action"]
    assert ours["Principal"] == guide["Principal"]
    equal, like = ours["Condition"]["StringEquals"], ours["Condition"]["ArnLike"]
    assert equal == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    source = text(like["aws:SourceArn"]).replace("${AWS::Partition}", "aws")
    account = guide["Condition"]["StringEquals"]["aws:SourceAccount"]
    assert (
        source.replace("${AWS::AccountId}", account)
        == guide["Condition"]["ArnLike"]["aws:SourceArn"]
    )


def test_people_of_identity_center_get_a_role_without_rights() -> None:
    guide = upstream.studio()["user_role_trust"]
    roles = studio_app().under("center", "AWS::IAM::Role")
    (user,) = (item for id, item in roles.items() if "UserRole" in id)
    trust = user["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert [each["Principal"] for each in trust] == [guide["Principal"]] * len(trust)
    assert sorted(action for each in trust for action in many(each["Action"])) == guide["Action"]
    assert not {"Policies", "ManagedPolicyArns"} & user["Properties"].keys()
    policies = studio_app().under("center", "AWS::IAM::Policy").values()
    assert "UserRole" not in json.dumps([each["Properties"]["Roles"] for each in policies])


Rule = tuple[str, int, str]


def rules(studio: str) -> dict[str, dict[str, set[Rule]]]:
    """Rules of a Studio's groups: by group and direction."""
    app = studio_app()
    groups = {
        id: "engine" if "Engine" in id else "workspace"
        for id in app.under(studio, "AWS::EC2::SecurityGroup")
    }
    found: dict[str, dict[str, set[Rule]]] = {
        each: {"inbound": set(), "outbound": set()} for each in groups.values()
    }

    def peer(rule: dict[str, Any]) -> str:
        for key in ("DestinationSecurityGroupId", "SourceSecurityGroupId"):
            if key in rule:
                return groups[rule[key]["Fn::GetAtt"][0]]
        keys = ("CidrIp", "CidrIpv6", "DestinationPrefixListId")
        return str(next(rule[key] for key in keys if key in rule))

    def read(rule: dict[str, Any]) -> Rule:
        assert rule["FromPort"] == rule["ToPort"]
        return rule["IpProtocol"].upper(), rule["FromPort"], peer(rule)

    for id, item in app.under(studio, "AWS::EC2::SecurityGroup").items():
        properties = item["Properties"]
        assert "SecurityGroupIngress" not in properties
        # Absent, EC2's own rule would let everything out.
        egress = properties["SecurityGroupEgress"]
        assert egress
        nothing = [rule for rule in egress if rule.get("CidrIp") == "255.255.255.255/32"]
        found[groups[id]]["outbound"] |= {read(rule) for rule in egress if rule not in nothing}
        assert {"Key": EMR_MANAGED_TAG, "Value": "true"} in properties["Tags"]
    for item in app.under(studio, "AWS::EC2::SecurityGroupIngress").values():
        group = groups[item["Properties"]["GroupId"]["Fn::GetAtt"][0]]
        found[group]["inbound"].add(read(item["Properties"]))
    for item in app.under(studio, "AWS::EC2::SecurityGroupEgress").values():
        group = groups[item["Properties"]["GroupId"]["Fn::GetAtt"][0]]
        found[group]["outbound"].add(read(item["Properties"]))
    return found


def documented(*, git: bool) -> dict[str, dict[str, set[Rule]]]:
    return {
        group: {
            way: {
                (rule["protocol"], rule["port"], rule["peer"])
                for rule in found
                if git or rule.get("only_for") != "Git"
            }
            for way, found in ways.items()
        }
        for group, ways in upstream.studio()["security_groups"].items()
    }


@pytest.mark.parametrize(("studio", "git"), [("plain", False), ("federated", True)])
def test_security_groups_have_the_documented_rules_and_no_other(studio: str, git: bool) -> None:
    assert rules(studio) == documented(git=git)


def test_git_may_be_narrower_than_everywhere() -> None:
    wanted = documented(git=False)
    destinations = ("140.82.112.0/20", "2a0a:a440::/29", "pl-0123456789abcdef0")
    wanted["workspace"]["outbound"] |= {("TCP", 443, each) for each in destinations}
    assert rules("shared") == wanted
