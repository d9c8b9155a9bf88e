"""Apache Livy for one tenant: Spark sessions over HTTP, for Jupyter outside AWS."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, cast

from cdk_emr_eks import versions
from cdk_emr_eks.errors import ConfigProblem, Problems, refuse
from cdk_emr_eks.field_types import check_types, hold_mappings
from cdk_emr_eks.model.access.execution_role import iam_literal
from cdk_emr_eks.model.workloads.spark_conf import spark_conf_problems
from cdk_emr_eks.names import namespace_problems
from cdk_emr_eks.releases import OldestRelease, release_version, version_text
from cdk_emr_eks.tokens import has_token
from cdk_emr_eks.units import Cpu, Memory

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
# AWS names no chart for others.
_OLDEST_RELEASE: Final = OldestRelease(feature="Livy", emr=(7, 1, 0), spark=None)
_S3_URI: Final = re.compile(r"s3://(?P<bucket>[^/]+)/(?P<prefix>.*[^/])/?")
_CERTIFICATE: Final = re.compile(r"arn:aws[a-zA-Z0-9-]*:acm:.+:certificate/.+")
_SAYABLE: Final = re.compile(r"[a-zA-Z.-]+")
_LABEL: Final = re.compile(r"spark\.kubernetes\.(driver|executor)\.label\.")
_ANYBODY: Final = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class LivySpec:
    """A Livy server of a tenant, from the chart that EMR publishes.

    Livy knows no users: whoever reaches it runs code with the execution role. So there is one for a
    tenant, which may start pods in its namespace only, and only the tenant's own pods and
    ``client_cidrs`` reach it.

    Args:
        upload_uri: ``s3://bucket/prefix`` where the server puts what a session needs and its driver
            reads it; the bucket may be a token. It is this server's alone.
        workload: Workload whose nodes, pod templates and configuration the sessions get. Default:
            ``notebook``.
        release_label: EMR release, emr-7.1.0 or newer of emr-7: the server's image, its chart's
            version and the sessions' image.
        client_cidrs: IPv4 ranges outside the cluster that reach the server, such as those of the
            office behind a VPN: an internal load balancer is made for them. Each at most a /8. Pods
            in such a range reach it, too, so keep the VPC's own ranges out. Empty: no load
            balancer; kubectl forwards the port.
        certificate_arn: ACM certificate of the load balancer, needed with ``client_cidrs``; a token
            passes. People's code and data pass here.
        session_idle_timeout: When an idle session ends: whole minutes, from one. Default an hour.
        namespace: Namespace of the server. None: the tenant's and ``-livy``.
        cpu: CPU request of the server. Default 1 core.
        memory: Memory request and limit of the server, which runs ``spark-submit`` for each new
            session. Default 4 GiB.
        spark_conf: Spark properties on top of the workload's; those that the workload derives are
            refused.

    Raises:
        ConfigError: If the URI is not S3's, the release has no chart, a range or a time is none, or
            clients and certificate do not come together.

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

    def __post_init__(self) -> None:
        where = f"Livy with upload_uri {self.upload_uri!r}"
        check_types(where, self)
        hold_mappings(self)
        problems = Problems(where)
        holds = bool(_S3_URI.fullmatch(self.upload_uri)) and iam_literal(self.upload_uri)
        rule = "must be s3://bucket/prefix without '*', '?' and '$', which IAM reads as patterns"
        problems.require(holds, "upload_uri", rule, self.upload_uri)
        problems.extend(_OLDEST_RELEASE.problems(self.release_label))
        for cidr in self.client_cidrs:
            problems.extend(_cidr_problems(cidr))
        given = self.certificate_arn is not None
        rule = "must be given with client_cidrs: code and data pass the load balancer"
        problems.require(given or not self.client_cidrs, "certificate_arn", rule)
        rule = "must be absent without client_cidrs: there is no load balancer to have it"
        problems.require(bool(self.client_cidrs) or not given, "certificate_arn", rule)
        rule = "must be the ARN of an ACM certificate, or a token"
        arn = self.certificate_arn
        holds = arn is None or has_token(arn) or bool(_CERTIFICATE.fullmatch(arn))
        problems.require(holds, "certificate_arn", rule, arn)
        minute, timeout = timedelta(minutes=1), self.session_idle_timeout
        holds = timeout >= minute and not timeout % minute
        rule = "must be whole minutes, at least 1"
        problems.require(holds, "session_idle_timeout", rule, str(timeout))
        if self.namespace is not None:
            problems.extend(namespace_problems("namespace", self.namespace))
        problems.require(self.cpu > Cpu(0), "cpu", "must be more than 0", self.cpu.kubernetes)
        rule = "must be at least 1 GiB"
        holds = self.memory >= Memory.from_gib(1)
        problems.require(holds, "memory", rule, self.memory.kubernetes)
        problems.extend(spark_conf_problems(self.spark_conf))
        problems.raise_if_any()

    @property
    def upload_location(self) -> tuple[str, str]:
        """Bucket and prefix (without slashes at its ends) of what sessions need."""
        bucket, _, prefix = self.upload_uri.removeprefix("s3://").partition("/")
        return bucket, prefix.strip("/")

    def resolved_namespace(self, where: str, namespace: str) -> str:
        """Return the server's namespace.

        Args:
            where: Whose server it is, for errors.
            namespace: The tenant's namespace.

        Raises:
            ConfigError: If the name is not given and would be too long, or is the tenant's own.
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
        """Return the server's variables: its own options, and the Spark properties of sessions.

        The variables' names have no way to write a slash or a digit. Labels with a slash are left
        to the session's own configuration.

        Args:
            where: Whose server it is, for errors.
            spark: The properties.

        Raises:
            ConfigError: If another property has one, such as those of ``PersistentVolumes``.
        """
        for key in spark:
            if not _SAYABLE.fullmatch(key) and not _LABEL.match(key):
                rule = "must have Spark properties without '/', '_' and digits in their names"
                raise refuse(where, "spark_conf", rule, key)
        minutes = self.session_idle_timeout // timedelta(minutes=1)
        values = {"livy.server.session.timeout": f"{minutes}m", **spark}
        return {variable(key): value for key, value in values.items() if _SAYABLE.fullmatch(key)}


def chart_version(release_label: str) -> str:
    """Return the version of Livy's chart: that of the EMR release.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/job-runs-apache-livy-secure-endpoint.html
    """
    return version_text(release_version(release_label))


def server_image(release_label: str) -> str:
    """Return the server's image: repository and tag, below EMR's registry of the region."""
    release, _, tag = release_label.rpartition("-")
    return f"livy/{release}:{tag}"


def variable(key: str) -> str:
    """Return the environment variable that says an option of Livy or Spark to EMR's Livy.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/job-runs-apache-livy-troubleshooting.html
    """
    marked = re.sub(r"[A-Z]", lambda match: f"1{match[0].lower()}", key)
    return "LIVY_" + marked.replace("-", "0").replace(".", "_").upper()


def _cidr_problems(cidr: str) -> tuple[ConfigProblem, ...]:
    rule = f"must be IPv4 ranges such as 10.1.0.0/16, at most a /{_ANYBODY} each"
    try:
        holds = ipaddress.IPv4Network(cidr).prefixlen >= _ANYBODY
    except ValueError:
        holds = False
    return () if holds else (ConfigProblem(field="client_cidrs", rule=rule, got=cidr),)


def hardened(template: Mapping[str, object]) -> dict[str, object]:
    """Return a pod template with the security settings that EMR's job submitter adds.

    Livy does not add them, and the tenant's namespace admits no pod without them.
    """
    spec = dict(cast(Mapping[str, object], template["spec"]))
    containers = cast(Sequence[Mapping[str, object]], spec["containers"])
    spec["containers"] = [{**each, "securityContext": _CONTAINER_SECURITY} for each in containers]
    spec["securityContext"] = _POD_SECURITY
    return {**template, "spec": spec}
