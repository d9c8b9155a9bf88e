"""The page's lines that open a session, run against botocore's own model of EMR's API."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType

import boto3
import pytest
from botocore.stub import Stubber

from tests.docs.blocks import DOCS, blocks

SESSION = {
    "region": "eu-west-1",
    "virtual_cluster_id": "vc123",
    "endpoint_id": "ep456",
    "execution_role_arn": "arn:aws:iam::111122223333:role/emr-science",
}


class Builder:
    """Stands for PySpark's, which needs a Spark server."""

    def __init__(self) -> None:
        self.url = ""

    def remote(self, url: str) -> Builder:
        self.url = url
        return self

    def getOrCreate(self) -> str:  # noqa: N802 (PySpark's name)
        return f"session at {self.url}"


@pytest.fixture
def open_session(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], object]:
    """The function of the page, as it is printed there."""
    page = DOCS / "concepts" / "spark-connect.md"
    (code,) = (block for block in blocks(page, "python") if "def open_session" in block)
    module, builder = ModuleType("pyspark.sql"), Builder()
    module.SparkSession = type("SparkSession", (), {"builder": builder})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyspark", ModuleType("pyspark"))
    monkeypatch.setitem(sys.modules, "pyspark.sql", module)
    found: dict[str, Callable[[dict[str, str]], object]] = {}
    exec(code, found)
    return found["open_session"]


def test_the_pages_code_opens_a_session(
    open_session: Callable[[dict[str, str]], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = boto3.client(
        "emr-containers",
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    asked: list[tuple[str, str]] = []

    def make(service: str, region_name: str) -> object:
        asked.append((service, region_name))
        return client

    monkeypatch.setattr(boto3, "client", make)
    with Stubber(client) as stub:
        stub.add_response(
            "describe_managed_endpoint",
            {"endpoint": {"id": "ep456", "authProxyUrl": "sc://proxy.example:443"}},
            {"virtualClusterId": "vc123", "id": "ep456"},
        )
        stub.add_response(
            "get_managed_endpoint_session_credentials",
            {
                "id": "s1",
                "credentials": {"token": "secret"},
                "expiresAt": datetime(2026, 11, 21, tzinfo=UTC),
            },
            {
                "virtualClusterIdentifier": "vc123",
                "endpointIdentifier": "ep456",
                "executionRoleArn": SESSION["execution_role_arn"],
                "credentialType": "TOKEN",
                "durationInSeconds": 3600,
            },
        )
        opened = open_session(SESSION)
        stub.assert_no_pending_responses()
    assert opened == ("session at sc://proxy.example:443/;use_ssl=true;x-aws-proxy-auth=secret")
    assert asked == [("emr-containers", "eu-west-1")]
