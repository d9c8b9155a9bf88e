"""The emulated account: responses for Karpenter, and delivery of events to queues."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from cdk_emr_eks import ConfigError
from cdk_emr_eks.simulation.aws import AwsUnavailableError, EmulatedAws, Prices
from cdk_emr_eks.simulation.aws.events import admits
from cdk_emr_eks.simulation.prices import read_prices
from tests.simulation.waiting import until

TABLE: Final = """
var InitialOnDemandPricesAWS = map[string]map[ec2types.InstanceType]float64{
\t// us-east-1
\t"us-east-1": {
\t\t// m7g family
\t\t"m7g.large": 0.081600, "m7g.metal": 2.611200,
\t\t"m7g.xlarge": 0.163200,
\t},
\t"us-gov-east-1": {
\t\t"m7g.2xlarge": 9.9,
\t},
}
"""
RULE: Final = "arn:aws:events:us-east-1:123456789012:rule/spot"
QUEUE: Final = "arn:aws:sqs:us-east-1:123456789012:news"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prices") / "prices.go"
    path.write_text(TABLE)
    return path


@pytest.fixture(scope="module")
def aws(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatedAws]:
    with EmulatedAws(table, directory=tmp_path_factory.mktemp("aws"), spot_share=0.5) as running:
        yield running


def test_the_price_table_of_karpenter_is_read(table: Path) -> None:
    prices = read_prices(table)
    assert prices.on_demand == {"m7g.large": 0.0816, "m7g.metal": 2.6112, "m7g.xlarge": 0.1632}
    assert prices.hourly("m7g.large", "on-demand") == 0.0816
    assert prices.hourly("m7g.large", "spot") == pytest.approx(0.0816 * 0.4)
    with pytest.raises(KeyError):
        prices.hourly("m7g.2xlarge", "spot")


def test_another_file_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.go"
    other.write_text("package pricing")
    with pytest.raises(ConfigError, match="Karpenter's table of us-east-1"):
        read_prices(other)


@pytest.mark.parametrize("share", [0, -1, 1.01])
def test_the_spot_share_is_above_0_and_at_most_1(share: float) -> None:
    with pytest.raises(ConfigError, match="spot_share must be above 0"):
        Prices(on_demand={"m7g.large": 1.0}, spot_share=share)


def test_the_account_must_be_12_digits(table: Path) -> None:
    with pytest.raises(ConfigError, match="account must be 12 digits"):
        EmulatedAws(table, account="12345")


def test_on_demand_prices_of_metal_sizes_are_separate(aws: EmulatedAws) -> None:
    def listed(family: str) -> dict[str, str]:
        filters = [{"Type": "TERM_MATCH", "Field": "productFamily", "Value": family}]
        answer = aws.client("pricing").get_products(ServiceCode="AmazonEC2", Filters=filters)
        products = [json.loads(text) for text in answer["PriceList"]]
        return {
            product["product"]["attributes"]["instanceType"]: product["terms"]["OnDemand"]["term"][
                "priceDimensions"
            ]["hour"]["pricePerUnit"]["USD"]
            for product in products
        }

    assert listed("Compute Instance") == {"m7g.large": "0.0816", "m7g.xlarge": "0.1632"}
    assert listed("Compute Instance (bare metal)") == {"m7g.metal": "2.6112"}


def test_each_zone_has_spot_prices(aws: EmulatedAws) -> None:
    ec2 = aws.client("ec2")
    zones = {zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]}
    history = ec2.describe_spot_price_history(InstanceTypes=["m7g.large"])["SpotPriceHistory"]
    assert {entry["AvailabilityZone"] for entry in history} == zones
    assert {entry["SpotPrice"] for entry in history} == {"0.040800"}
    assert {entry["InstanceType"] for entry in history} == {"m7g.large"}


def test_only_offered_families_exist(aws: EmulatedAws) -> None:
    """Requests of Karpenter with filters, and of its simulated fleet without."""
    ec2 = aws.client("ec2")
    hvm = {"Name": "supported-virtualization-type", "Values": ["hvm"]}

    def families(*filters: dict[str, Any]) -> set[str]:
        pages = ec2.get_paginator("describe_instance_types").paginate(Filters=list(filters))
        found = [each["InstanceType"] for page in pages for each in page["InstanceTypes"]]
        return {name.partition(".")[0] for name in found}

    everything = families(hvm)
    assert len(everything) > 100
    aws.offer_families(["m7g", "r7gd"])
    try:
        assert families() == families(hvm) == {"m7g", "r7gd"}
        (other,) = ec2.describe_instance_types(InstanceTypes=["t3.medium"])["InstanceTypes"]
        assert other["InstanceType"] == "t3.medium"
    finally:
        aws.offer_families([])
    assert families(hvm) == everything


def test_each_architecture_has_one_image_without_drivers(aws: EmulatedAws) -> None:
    ssm, ec2 = aws.client("ssm"), aws.client("ec2")
    path = "/aws/service/eks/optimized-ami/1.36/amazon-linux-2023/{}/{}/recommended/image_id"
    found = {}
    for architecture in ("x86_64", "arm64"):
        name = path.format(architecture, "standard")
        image = ssm.get_parameter(Name=name)["Parameter"]["Value"]
        (described,) = ec2.describe_images(Filters=[{"Name": "image-id", "Values": [image]}])[
            "Images"
        ]
        found[architecture] = described["Architecture"]
    assert found == {"x86_64": "x86_64", "arm64": "arm64"}
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name=path.format("x86_64", "nvidia"))


def test_moto_serves_other_parameters(aws: EmulatedAws) -> None:
    ssm = aws.client("ssm")
    ssm.put_parameter(Name="/mine", Type="String", Value="1")
    assert ssm.get_parameter(Name="/mine")["Parameter"]["Value"] == "1"


def test_every_cluster_has_the_address_of_the_control_plane(aws: EmulatedAws) -> None:
    eks = aws.client("eks")
    network: dict[str, Any] = {"subnetIds": []}
    eks.create_cluster(
        name="one", roleArn="arn:aws:iam::123456789012:role/r", resourcesVpcConfig=network
    )
    aws.attach_control_plane("https://127.0.0.1:1", "Q0E=")
    described = eks.describe_cluster(name="one")["cluster"]
    assert described["endpoint"] == "https://127.0.0.1:1"
    assert described["certificateAuthority"]["data"] == "Q0E="
    with pytest.raises(eks.exceptions.ResourceNotFoundException):
        eks.describe_cluster(name="two")


def test_rules_deliver_events_to_queues_that_allow_it(aws: EmulatedAws) -> None:
    sqs, events = aws.client("sqs"), aws.client("events")
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("open", "closed")}
    pattern = {"source": ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"]}
    rule = events.put_rule(Name="interruption", EventPattern=json.dumps(pattern))["RuleArn"]
    account = f"arn:aws:sqs:{aws.region}:{aws.account}"
    targets = [{"Id": name, "Arn": f"{account}:{name}"} for name in urls]
    events.put_targets(Rule="interruption", Targets=targets)
    policy = _policy(queue=f"{account}:open", rule=rule)
    sqs.set_queue_attributes(QueueUrl=urls["open"], Attributes={"Policy": json.dumps(policy)})

    detail = {"instance-id": "i-1", "instance-action": "terminate"}
    aws.put_event("aws.ec2", "EC2 Spot Instance Interruption Warning", detail)
    aws.put_event("aws.ec2", "EC2 Instance State-change Notification", {"instance-id": "i-2"})
    aws.put_event("aws.health", "EC2 Spot Instance Interruption Warning", detail)

    got = sqs.receive_message(QueueUrl=urls["open"], MaxNumberOfMessages=10)["Messages"]
    (event,) = [json.loads(message["Body"]) for message in got]
    assert event["detail"] == detail
    assert event["source"] == "aws.ec2"
    assert "Messages" not in sqs.receive_message(QueueUrl=urls["closed"])
    assert aws.refused_targets == ("interruption -> closed",)


def _policy(**changes: Any) -> dict[str, Any]:
    queue, rule = changes.pop("queue", QUEUE), changes.pop("rule", RULE)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": [rule]}},
    }
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": queue,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Statement": [{**statement, **changes}, deny]}


@pytest.mark.parametrize(
    ("policy", "holds"),
    [
        (_policy(), True),
        (_policy(Condition={}), True),
        (_policy(Action=["sqs:ReceiveMessage", "SQS:Send*"]), True),
        (_policy(Condition={"StringEquals": {"AWS:SourceAccount": "123456789012"}}), True),
        (_policy(Condition={"ArnLike": {"aws:SourceArn": RULE.replace("spot", "*")}}), True),
        ({}, False),
        (_policy(Effect="Deny"), False),
        (_policy(Principal={"Service": "sqs.amazonaws.com"}), False),
        (_policy(Action="sqs:ReceiveMessage"), False),
        (_policy(Resource=f"{QUEUE}-other"), False),
        (_policy(rule=f"{RULE}-other"), False),
        (_policy(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}), False),
        (
            {
                "Statement": [
                    *_policy()["Statement"],
                    {**_policy()["Statement"][1], "Condition": {}},
                ]
            },
            False,
        ),
    ],
)
def test_queue_policies_are_evaluated(policy: dict[str, Any], holds: bool) -> None:
    assert admits(policy, queue=QUEUE, rule=RULE) is holds


def test_two_accounts_share_nothing(aws: EmulatedAws, table: Path, tmp_path: Path) -> None:
    with EmulatedAws(table, directory=tmp_path, account="210987654321", region="eu-west-1") as two:
        assert two.client("sts").get_caller_identity()["Account"] == "210987654321"
        two.client("sqs").create_queue(QueueName="only-mine")
        assert two.endpoint_url != aws.endpoint_url
    assert not aws.client("sqs").list_queues(QueueNamePrefix="only-mine").get("QueueUrls")
    with pytest.raises(AwsUnavailableError, match="not started"):
        _ = two.endpoint_url


def test_the_server_ends_when_its_owner_is_killed(table: Path, tmp_path: Path) -> None:
    program = f"""
import os, sys, time
from pathlib import Path
from cdk_emr_eks.simulation.aws import EmulatedAws
aws = EmulatedAws(Path({str(table)!r}), directory=Path({str(tmp_path)!r})).__enter__()
print(aws._process.pid, flush=True)
time.sleep(600)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment
    ) as owner:
        assert owner.stdout is not None
        server = int(owner.stdout.readline())
        owner.kill()
    until(lambda: _runs(server), lambda runs: not runs)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    # The process that adopted it may not have waited for its end yet.
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
