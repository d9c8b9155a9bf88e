"""Apache Livy for one tenant: Spark sessions over HTTP, for Jupyter outside AWS."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import timedelta
from typing import Final, cast

from cdk_emr_eks import versions
from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import ConfigProblem, refuse
from cdk_emr_eks.model.access.execution_role import iam_literal
from cdk_emr_eks.model.workloads.spark_conf import spark_conf_problems
from cdk_emr_eks.names import namespace_problems
from cdk_emr_eks.releases import OldestRelease, release_version, version_text
from cdk_emr_eks.tokens import has_token
from cdk_emr_eks.units import Cpu, Memory
from cdk_emr_eks.values import value

NAMESPACE_SUFFIX: Final = "-livy"
PORT: Final = 8998
# Name of the chart's release in the server's namespace.
RELEASE: Final = "livy"
# Name of the server's service account.
SERVER_ACCOUNT: Final = "emr-containers-sa-livy"
# User and group of EMR's images, as EMR runs them.
_CONTAINER_SECURITY: Final[Mapping[str, object]] = {
    "runAsNonRoot": True,
    "runAsUser": 999,
    "runAsGroup": 1000,
    "privileged": False,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}
_POD_SECURITY: Final[Mapping[str, object]] = {
    # Lets that user read the token of its service account.
    "fsGroup": 65534,
    "seccompProfile": {"type": "RuntimeDefault"},
}

# AWS publishes no chart for other releases.
_OLDEST_RELEASE: Final = OldestRelease(feature="Livy", emr=(7, 1, 0), spark=None)
_S3_URI: Final = re.compile(r"s3://(?P<bucket>[^/]+)/(?P<prefix>.*[^/])/?")
_CERTIFICATE: Final = re.compile(r"arn:aws[a-zA-Z0-9-]*:acm:.+:certificate/.+")

# Names of options that an environment variable of Livy can express.
_EXPRESSIBLE: Final = re.compile(r"[a-zA-Z.-]+")
_LABEL: Final = re.compile(r"spark\.kubernetes\.(driver|executor)\.label\.")

# Shortest prefix length of a client range. A wider range would open the server to the internet.
_MIN_PREFIX: Final = 8


@value
class LivySpec:
    """A Livy server of a tenant, from the chart that EMR publishes.

    Livy does not authenticate users: every client that reaches it runs code with the execution
    role. So each tenant has a separate server, which can start pods only in the tenant's namespace,
    and only the tenant's pods and ``client_cidrs`` reach it.

    Args:
        upload_uri: ``s3://bucket/prefix`` where the server stores files of sessions for their
            drivers; the bucket may be a token. No other server may use it.
        workload: Workload whose nodes, pod templates and configuration the sessions get. Default
            ``notebook``.
        release_label: EMR release, emr-7.1.0 or newer of emr-7: the server's image, its chart's
            version and the sessions' image.
        client_cidrs: IPv4 ranges outside the cluster that reach the server by an internal load
            balancer, such as those of an office behind a VPN. Each at most a /8. Pods in such a
            range reach it, too, so do not include the VPC's ranges. Empty: no load balancer; use
            ``kubectl port-forward``.
        certificate_arn: ACM certificate of the load balancer, required with ``client_cidrs``, since
            it transports users' code and data; a token passes.
        session_idle_timeout: Time after which an idle session ends: whole minutes, at least one.
            Default an hour.
        namespace: Namespace of the server. None: the tenant's and ``-livy``.
        cpu: CPU request of the server. Default 1 core.
        memory: Memory request and limit of the server, which runs ``spark-submit`` for each new
            session. Default 4 GiB.
        spark_conf: Spark properties in addition to the workload's. Properties that the workload
            derives are refused.

    Raises:
        ConfigError: If the URI is not an S3 URI, the release has no chart, a range or a time breaks
            a rule, or only one of clients and certificate is given.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/job-runs-apache-livy-install.html
    """

    upload_uri: str
    workload: str = "notebook"
    release_label: str = versions.EMR_RELEASE
    client_cidrs: tuple[str, ...] = ()
    certificate_arn: str | None = None
    session_idle_timeout: timedelta = timedelta(hours=1)
    namespace: str | None = None
    cpu: Cpu = Cpu.cores(1)
    memory: Memory = Memory.from_gib(4)
    spark_conf: Mapping[str, str] = field(default_factory=dict)

    def _rules(self, check: Check) -> None:
        holds = bool(_S3_URI.fullmatch(self.upload_uri)) and iam_literal(self.upload_uri)
        rule = "must be s3://bucket/prefix without '*', '?' and '$', which IAM reads as patterns"
        check.require(holds, "upload_uri", rule, self.upload_uri)
        check.add(_OLDEST_RELEASE.problems(self.release_label))
        check.passes("client_cidrs", _cidr_problems)
        arn, clients = self.certificate_arn, bool(self.client_cidrs)
        rule = "must be given with client_cidrs: the load balancer transports code and data"
        check.require(arn is not None or not clients, "certificate_arn", rule)
        rule = "must be absent without client_cidrs: there is no load balancer"
        check.require(clients or arn is None, "certificate_arn", rule)
        rule = "must be the ARN of an ACM certificate, or a token"
        holds = arn is None or has_token(arn) or bool(_CERTIFICATE.fullmatch(arn))
        check.require(holds, "certificate_arn", rule, arn)
        check.whole_minutes("session_idle_timeout")
        check.passes("namespace", namespace_problems)
        check.more_than("cpu", Cpu(0))
        check.at_least("memory", Memory.from_gib(1))
        check.add(spark_conf_problems(self.spark_conf))

    @property
    def where(self) -> str:
        """What errors call the server."""
        return f"Livy with upload_uri {self.upload_uri!r}"

    @property
    def upload_location(self) -> tuple[str, str]:
        """Bucket and prefix (without slashes at its ends) of the sessions' files."""
        bucket, _, prefix = self.upload_uri.removeprefix("s3://").partition("/")
        return bucket, prefix.strip("/")

    def resolved_namespace(self, where: str, namespace: str) -> str:
        """Return the server's namespace.

        Args:
            where: What errors call the server.
            namespace: The tenant's namespace.

        Raises:
            ConfigError: If the default name is too long, or the name is the tenant's namespace.
        """
        own = self.namespace or f"{namespace}{NAMESPACE_SUFFIX}"
        if own == namespace:
            rule = "must differ from the tenant's namespace, where sessions could change the server"
            raise refuse(where, "namespace", rule, own)
        if len(own) > 63:
            rule = f"must be given: {NAMESPACE_SUFFIX!r} after the tenant's is over 63 characters"
            raise refuse(where, "namespace", rule, own)
        return own

    def environment(self, where: str, spark: Mapping[str, str]) -> dict[str, str]:
        """Return the server's environment variables: its options, and sessions' Spark properties.

        A variable's name cannot express a slash or a digit. Labels with a slash are left out: the
        session's configuration sets them.

        Args:
            where: What errors call the server.
            spark: Spark properties.

        Raises:
            ConfigError: If another property's name has a slash or a digit, such as those of
                ``PersistentVolumes``.
        """
        for key in spark:
            if not _EXPRESSIBLE.fullmatch(key) and not _LABEL.match(key):
                rule = "must have Spark properties without '/', '_' and digits in their names"
                raise refuse(where, "spark_conf", rule, key)
        minutes = self.session_idle_timeout // timedelta(minutes=1)
        values = {"livy.server.session.timeout": f"{minutes}m", **spark}
        return {
            variable(key): value for key, value in values.items() if _EXPRESSIBLE.fullmatch(key)
        }


def chart_version(release_label: str) -> str:
    """Return the version of Livy's chart, which is that of the EMR release.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/job-runs-apache-livy-secure-endpoint.html
    """
    return version_text(release_version(release_label))


def server_image(release_label: str) -> str:
    """Return the server's image: repository and tag in EMR's registry of the Region."""
    release, _, tag = release_label.rpartition("-")
    return f"livy/{release}:{tag}"


def variable(key: str) -> str:
    """Return the environment variable that sets an option of Livy or Spark in EMR's Livy.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/job-runs-apache-livy-troubleshooting.html
    """
    marked = re.sub(r"[A-Z]", lambda match: f"1{match[0].lower()}", key)
    return "LIVY_" + marked.replace("-", "0").replace(".", "_").upper()


def _cidr_problems(field_name: str, cidr: str) -> tuple[ConfigProblem, ...]:
    rule = f"must be IPv4 ranges such as 10.1.0.0/16, at most a /{_MIN_PREFIX} each"
    try:
        holds = ipaddress.IPv4Network(cidr).prefixlen >= _MIN_PREFIX
    except ValueError:
        holds = False
    return () if holds else (ConfigProblem(field=field_name, rule=rule, got=cidr),)


def with_security_settings(template: Mapping[str, object]) -> dict[str, object]:
    """Return a pod template with the security settings that EMR's job submitter adds.

    Livy does not add them, and the tenant's namespace admits no pod without them.
    """
    spec = dict(cast(Mapping[str, object], template["spec"]))
    containers = cast(Sequence[Mapping[str, object]], spec["containers"])
    spec["containers"] = [{**each, "securityContext": _CONTAINER_SECURITY} for each in containers]
    spec["securityContext"] = _POD_SECURITY
    return {**template, "spec": spec}
