"""An emulated AWS account, which processes of this machine reach over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import boto3
from botocore.config import Config

from cdk_emr_eks.checks import Check
from cdk_emr_eks.simulation.aws.events import close_refused_targets
from cdk_emr_eks.simulation.aws.server import CONTROL
from cdk_emr_eks.simulation.prices import DEFAULT_SPOT_SHARE, PRICED_REGION, read_prices

if TYPE_CHECKING:
    from botocore.client import BaseClient

ACCOUNT: Final = "123456789012"
_KEY: Final = "simulation"


class AwsUnavailableError(RuntimeError):
    """The emulated AWS did not start; its log says why."""


class EmulatedAws:
    """An empty AWS account: moto's services, with prices, spot prices and machine images.

    EC2's capacity is simulated by the fleet of the control plane, see ``Plane.fleet``.

    A context manager: the account exists from ``__enter__`` to ``__exit__``. Each account is a
    separate process, so two accounts share nothing.

    Args:
        price_table: Karpenter's table of on-demand prices; ``Binaries.prices`` is its path.
        directory: Folder for the log. Default: a temporary folder.
        account: Account id, 12 digits.
        region: AWS Region. Prices are those of us-east-1 in any Region.
        spot_share: Spot price as a share of the on-demand price. Default 0.4: an assumption.

    Attributes:
        account: Account id.
        region: AWS Region.
        partition: Partition of the Region, the ``aws`` of ARNs.
        prices: Hourly prices for Karpenter.
        refused_targets: Targets of rules to which EventBridge delivers nothing, since the policy of
            the queue does not allow it.

    Raises:
        ConfigError: If the account or the price table is not valid.
    """

    def __init__(
        self,
        price_table: Path,
        *,
        directory: Path | None = None,
        account: str = ACCOUNT,
        region: str = PRICED_REGION,
        spot_share: float = DEFAULT_SPOT_SHARE,
    ) -> None:
        check = Check("EmulatedAws")
        valid = len(account) == 12 and account.isdecimal()
        check.require(valid, "account", "must be 12 digits", account)
        check.raise_if_any()
        self.account = account
        self.region = region
        self.partition = str(boto3.Session().get_partition_for_region(region))
        self.prices = read_prices(price_table, spot_share)
        self._table = price_table
        self._directory = directory or Path(tempfile.mkdtemp(prefix="emulated-aws-"))
        self._directory.mkdir(parents=True, exist_ok=True)
        self.refused_targets: tuple[str, ...] = ()
        self._clients: dict[str, BaseClient] = {}
        self._process: subprocess.Popen[str] | None = None
        self._port = 0

    @property
    def endpoint_url(self) -> str:
        """URL of every AWS service."""
        if not self._port:
            raise AwsUnavailableError("The emulated AWS is not started: use it with 'with'")
        return f"http://127.0.0.1:{self._port}"

    @property
    def environment(self) -> Mapping[str, str]:
        """Environment variables with which a process uses this account."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": _KEY,
            "AWS_SECRET_ACCESS_KEY": _KEY,
        }

    def __enter__(self) -> Self:
        log = self._directory / "aws.log"
        command = [sys.executable, "-m", "cdk_emr_eks.simulation.aws.server"]
        command += ["--prices", str(self._table), "--spot-share", str(self.prices.spot_share)]
        paths = [path for path in sys.path if path]
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=_environment(self.account, paths),
                # This process handles Ctrl-C, and stops the server in order.
                start_new_session=True,
            )
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line.strip().isdecimal():
            self.stop()
            raise AwsUnavailableError(f"The emulated AWS did not start; see {log}")
        self._port = int(line)
        zones = self.client("ec2").describe_availability_zones()["AvailabilityZones"]
        self._set_state({"zones": sorted(zone["ZoneName"] for zone in zones)})
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop the account, if it runs."""
        process, self._process, self._port = self._process, None, 0
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        if process is None:
            return
        # The server ends with its standard input.
        for stream in (process.stdin, process.stdout):
            if stream:
                stream.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def client(self, service: str) -> BaseClient:
        """Return the boto3 client of a service."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.endpoint_url,
                region_name=self.region,
                aws_access_key_id=_KEY,
                aws_secret_access_key=_KEY,
                config=Config(retries={"max_attempts": 2}, proxies={}, max_pool_connections=32),
            )
        return self._clients[service]

    def attach_control_plane(self, endpoint: str, authority: str) -> None:
        """Make EKS return the address of this control plane for every cluster.

        Args:
            endpoint: URL of the API server.
            authority: PEM of its certificate authority, in base64.
        """
        self._set_state({"endpoint": endpoint, "authority": authority})

    def offer_families(self, families: Sequence[str]) -> None:
        """Limit EC2 to the instance types of some families, such as ``m7g``.

        Karpenter checks every instance type of the Region for each pod and each node. On two cores,
        types that no pool can choose would take more time than everything else. A request for a
        type by its name still succeeds.

        Args:
            families: Families; empty for all.
        """
        self._set_state({"families": list(families)})

    def put_event(
        self,
        source: str,
        detail_type: str,
        detail: Mapping[str, object],
        *,
        resources: Sequence[str] = (),
    ) -> str:
        """Emit an event of an AWS service on the default bus of the account.

        The deployed rules select targets by their patterns, and a queue receives only what its
        policy allows EventBridge to send.

        Args:
            source: Service, such as ``aws.ec2``.
            detail_type: Detail type, such as ``EC2 Spot Instance Interruption Warning``.
            detail: Detail of the event.
            resources: ARNs of the resources of the event.

        Returns:
            Id of the event.
        """
        events = self.client("events")
        refused = close_refused_targets(events, self.client("sqs"))
        self.refused_targets = (*self.refused_targets, *refused)
        entry = {
            "Source": source,
            "DetailType": detail_type,
            "Detail": json.dumps(dict(detail)),
            "Resources": list(resources),
        }
        answer = events.put_events(Entries=[entry])
        return str(answer["Entries"][0]["EventId"])

    def _set_state(self, content: Mapping[str, object]) -> None:
        request = urllib.request.Request(
            f"{self.endpoint_url}{CONTROL}", json.dumps(content).encode(), method="PUT"
        )
        # A proxy of the environment cannot reach the loopback of this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30):
            pass


def _environment(account: str, paths: Sequence[str]) -> dict[str, str]:
    """Return the environment of the server, without the user's AWS settings."""
    return {"MOTO_ACCOUNT_ID": account, "PYTHONPATH": ":".join(paths)}
