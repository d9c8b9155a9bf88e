"""Apache Livy of a tenant, from EMR's chart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, cast

import cdk8s
from aws_cdk import Aws, CfnMapping, CfnOutput, Duration, Stack, Stage, Token
from aws_cdk import aws_eks as eks_l1
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_emr_eks.clusters.manifests import ManifestBundle, plain
from cdk_emr_eks.errors import refuse
from cdk_emr_eks.field_types import check_argument
from cdk_emr_eks.labels import WORKLOAD, SparkRole
from cdk_emr_eks.model.access.execution_role import Component, JobIdentity, RoleUse, service_account
from cdk_emr_eks.model.images.emr_images import EMR_ACCOUNTS, ImageKind
from cdk_emr_eks.model.jobs.job_config import IMAGE
from cdk_emr_eks.model.jobs.spark_encryption import with_encryption
from cdk_emr_eks.model.namespaces.namespace import NamespaceOwner, namespace_manifest
from cdk_emr_eks.model.namespaces.network_policies import livy_policies
from cdk_emr_eks.model.nodes.gateway_pool import GATEWAY
from cdk_emr_eks.model.notebooks.livy import (
    PORT,
    RELEASE,
    SERVER_ACCOUNT,
    LivySpec,
    chart_version,
    server_image,
    with_security_settings,
)
from cdk_emr_eks.model.pods.pod_template import driver_template, executor_template
from cdk_emr_eks.notebooks.livy_objects import LivyChart
from cdk_emr_eks.pods.pod_templates import PodTemplateLocation, template_asset
from cdk_emr_eks.security.iam import PODS_SERVICE, pod_identity_trust
from cdk_emr_eks.security.suppressions import suppress, wildcard
from cdk_emr_eks.tenants.claims import AppClaims
from cdk_emr_eks.tenants.execution_role import JobRole
from cdk_emr_eks.tenants.tenant import EmrEksTenant

_TIMEOUT_MINUTES: Final = 10
# Construct id of the mapping from Regions to the accounts of EMR's registries.
_REGISTRY_ACCOUNTS: Final = "EmrRegistryAccounts"
_OBJECTS: Final = "Livy names the objects that sessions need, all under its own prefix"


class Livy(Construct):
    """Install a Livy server that starts sessions in a tenant's namespace, with one of its roles.

    Each tenant has a separate server, since Livy has no users: with one server for the cluster,
    every client could run code with every role. The permissions and the load balancer are created
    here, narrower than those of EMR's chart.

    Resources: one custom resource of Kubernetes objects (the server's namespace, service accounts,
    roles and network policies; with ``client_cidrs`` a load balancer), one
    ``Custom::AWSCDK-EKS-HelmChart``, one ``AWS::IAM::Role`` of the server with its
    ``AWS::EKS::PodIdentityAssociation``, and three policies of the two roles.

    Stack outputs: ``SessionConf``, the Spark properties of a session as JSON, for clients that
    override some; ``PortForward``, a command that makes the server available on localhost.

    Attributes:
        spec: The server as declared.
        tenant: Tenant of the server.
        role: Execution role of the sessions.
        namespace: Namespace of the server.

    Args:
        tenant: Tenant of the server.
        spec: Location of uploads, clients, and options.
        role: Name of the tenant's execution role. None: the first one for Livy.

    Raises:
        ConfigError: If the tenant lacks the workload or a role for Livy, the cluster cannot have
            endpoints, a Spark property cannot be set by the server's environment, EMR has no
            registry in the Region, or another construct has the namespace or ``upload_uri``.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        tenant: EmrEksTenant,
        spec: LivySpec,
        role: str | None = None,
    ) -> None:
        check_argument("Livy", "tenant", EmrEksTenant, tenant)
        check_argument("Livy", "spec", LivySpec, spec)
        where = f"Livy of tenant {tenant.tenant.name!r}"
        prerequisites = tenant.context.endpoint_prerequisites(where)
        execution_role = tenant.role_for(RoleUse.LIVY, role)
        derived = _derived(tenant, spec)
        spec.environment(where, derived)
        namespace = spec.resolved_namespace(where, tenant.tenant.resolved_namespace)
        registry = _emr_registry(where, Stack.of(scope))
        super().__init__(scope, id)
        self.spec = spec
        self.tenant = tenant
        self.role = execution_role
        templates = self._templates()
        spark = {**derived, **self._session(registry, derived, templates)}
        self.namespace = namespace
        self._claim()
        bundle = self._objects()
        bundle.node.add_dependency(prerequisites.ensure(), tenant.virtual_cluster, execution_role)
        server = self._server_rights([each.object_arn for each in templates.values()])
        bundle.node.add_dependency(self._share_uploads(execution_role.role, "Session"))
        chart = self._chart(registry, spec.environment(where, spark))
        chart.node.add_dependency(bundle, server)
        self._outputs(spark)

    def _claim(self) -> None:
        claims = AppClaims.of(self)
        claims.claim(
            self,
            "namespace",
            self.tenant.context.cluster_name,
            self.namespace,
            field="namespace",
            rule="must be Livy's alone",
        )
        rule = "must be apart from what others write, which sessions would run"
        claims.claim_folder(self, *self.spec.upload_location, field="upload_uri", rule=rule)

    def _objects(self) -> ManifestBundle:
        spec, identity = self.spec, self.role.spec.identity
        policies = livy_policies(
            server_namespace=self.namespace,
            namespace=self.tenant.tenant.resolved_namespace,
            clients=spec.client_cidrs,
            port=PORT,
            network=self.tenant.tenant.network,
            cluster=self.tenant.context.network,
        )
        bundle = ManifestBundle(self, "Objects", cluster=self.tenant.context.cluster)
        owner = NamespaceOwner(tenant=self.tenant.tenant.name)
        bundle.add(namespace_manifest(self.namespace, owner), *policies)
        bundle.add_chart(
            LivyChart(
                server_namespace=self.namespace,
                namespace=self.tenant.tenant.resolved_namespace,
                session_account=_session_account(self.role),
                session_role_arn=self.role.arn if identity is JobIdentity.IRSA else None,
                client_cidrs=spec.client_cidrs,
                certificate_arn=spec.certificate_arn,
            )
        )
        return bundle

    def _templates(self) -> dict[SparkRole, PodTemplateLocation]:
        stage = cast(Stage, Stage.of(self))
        folder = Path(stage.asset_outdir) / "pod-templates" / self.node.path.replace("/", "-")
        folder.mkdir(parents=True, exist_ok=True)
        workload = self.tenant.context.workloads[self.spec.workload]
        rendered = {SparkRole.DRIVER: driver_template, SparkRole.EXECUTOR: executor_template}
        found: dict[SparkRole, PodTemplateLocation] = {}
        for role, render in rendered.items():
            path = folder / f"{role}.yaml"
            path.write_text(
                cdk8s.Yaml.stringify(plain(with_security_settings(render(workload)))),
                encoding="utf-8",
            )
            found[role] = template_asset(self, f"{role.title()}Template", path)
        return found

    def _session(
        self,
        registry: str,
        derived: Mapping[str, str],
        templates: Mapping[SparkRole, PodTemplateLocation],
    ) -> dict[str, str]:
        """Return the Spark properties for namespace, service account and image of a session."""
        release, _, tag = self.spec.release_label.rpartition("-")
        # From EMR's registry of the Region: nodes without NAT cannot reach ECR Public.
        image = f"{registry}/{ImageKind.SPARK}/{release}:{tag}"
        return {
            "spark.kubernetes.namespace": self.tenant.tenant.resolved_namespace,
            IMAGE: derived.get(IMAGE, image),
            "spark.kubernetes.authenticate.driver.serviceAccountName": _session_account(self.role),
            "spark.kubernetes.file.upload.path": "s3://" + "/".join(self.spec.upload_location),
            **{
                f"spark.kubernetes.{role}.podTemplateFile": location.uri
                for role, location in templates.items()
            },
        }

    def _server_rights(self, templates: Sequence[str]) -> eks_l1.CfnPodIdentityAssociation:
        """Let the server, which runs spark-submit, read pod templates and upload files."""
        context = self.tenant.context
        role = iam.Role(
            self,
            "ServerRole",
            description=f"Livy of namespace {self.namespace} on cluster {context.cluster_name}",
            assumed_by=iam.ServicePrincipal(PODS_SERVICE),
        )
        role.add_to_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=list(templates)))
        cast(iam.CfnRole, role.node.default_child).add_property_override(
            "AssumeRolePolicyDocument",
            pod_identity_trust(
                cluster_name=context.cluster_name,
                namespace=self.namespace,
                service_accounts=[SERVER_ACCOUNT],
            ),
        )
        rights = self._share_uploads(role, "Server")
        association = eks_l1.CfnPodIdentityAssociation(
            self,
            "Server",
            cluster_name=context.cluster_name,
            namespace=self.namespace,
            service_account=SERVER_ACCOUNT,
            role_arn=role.role_arn,
        )
        association.node.add_dependency(role, rights, self.tenant.virtual_cluster)
        return association

    def _share_uploads(self, role: iam.Role, id: str) -> iam.Policy:
        bucket, prefix = self.spec.upload_location
        arn = f"arn:{Aws.PARTITION}:s3:::{bucket}"
        objects = f"{arn}/{prefix}/*"
        policy = iam.Policy(
            self,
            f"{id}Uploads",
            statements=[
                iam.PolicyStatement(
                    actions=["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                    resources=[objects],
                ),
                iam.PolicyStatement(
                    actions=["s3:ListBucket"],
                    resources=[arn],
                    conditions={"StringLike": {"s3:prefix": f"{prefix}/*"}},
                ),
            ],
        )
        policy.attach_to_role(role)
        suppress(policy, {wildcard(self, objects): _OBJECTS})
        return policy

    def _chart(self, registry: str, environment: Mapping[str, str]) -> eks.HelmChart:
        spec = self.spec
        requests = {"cpu": spec.cpu.kubernetes, "memory": spec.memory.kubernetes}
        values: dict[str, object] = {
            "image": f"{registry}/{server_image(spec.release_label)}",
            "sparkNamespace": self.tenant.tenant.resolved_namespace,
            "rbac": {"create": False},
            "serviceAccount": {"create": False, "name": SERVER_ACCOUNT},
            "sparkServiceAccount": {"create": False, "name": _session_account(self.role)},
            "loadbalancer": {"enabled": False},
            # EMR documents no server for arm64. The gateway's nodes are x86 and have no taints.
            "nodeSelector": {WORKLOAD: GATEWAY},
            "resources": {"requests": requests, "limits": {"memory": spec.memory.kubernetes}},
            "env": {name: {"value": value} for name, value in environment.items()},
        }
        return eks.HelmChart(
            self,
            "Chart",
            cluster=self.tenant.context.cluster,
            repository=f"oci://{registry}/livy",
            chart="livy",
            version=chart_version(spec.release_label),
            release=RELEASE,
            namespace=self.namespace,
            create_namespace=False,
            # A failed upgrade is rolled back, and a deletion waits until the pods are gone.
            atomic=True,
            wait=True,
            timeout=Duration.minutes(_TIMEOUT_MINUTES),
            values={key: plain(value) for key, value in values.items()},
        )

    def _outputs(self, spark: Mapping[str, str]) -> None:
        forward = (
            f"kubectl --namespace {self.namespace} port-forward "
            f"$(kubectl --namespace {self.namespace} get pods --output name "
            f"--selector app.kubernetes.io/instance={RELEASE}) {PORT}"
        )
        name = self.tenant.tenant.name
        values = {
            # Tokens in JSON text: URIs have no quotes, so that the result is valid JSON.
            "SessionConf": (json.dumps(dict(spark)), f"Spark properties of Livy sessions: {name}"),
            "PortForward": (forward, f"Brings Livy of {name} to http://localhost:{PORT}"),
        }
        for id, (value, description) in values.items():
            CfnOutput(self, id, value=value, description=description)


def _session_account(role: JobRole) -> str:
    return service_account(Component.LIVY, Aws.ACCOUNT_ID, role.spec.name)


def _derived(tenant: EmrEksTenant, spec: LivySpec) -> dict[str, str]:
    """Return the Spark properties of the workload's jobs, with those of the server's spec."""
    job = with_encryption(
        f"Livy of tenant {tenant.tenant.name!r}",
        tenant.job_configuration(spec.workload),
        tenant.tenant.spark_encryption,
        spec.release_label,
    )
    items = cast(Sequence[Mapping[str, object]], job["applicationConfiguration"])
    derived = next(item for item in items if item["classification"] == "spark-defaults")
    return {**cast(Mapping[str, str], derived["properties"]), **spec.spark_conf}


def _emr_registry(where: str, stack: Stack) -> str:
    """Return the host of EMR's registry in a stack's Region. It has Livy's chart and image.

    If the Region is not known at synth, CloudFormation looks up the account of the registry.

    Args:
        where: The construct that needs the registry, for errors.
        stack: The stack.

    Raises:
        ConfigError: If EMR has no registry in the Region.
    """
    region = stack.region
    if not Token.is_unresolved(region):
        if region not in EMR_ACCOUNTS:
            rule = f"must be one with a registry of EMR's ({', '.join(EMR_ACCOUNTS)})"
            raise refuse(where, "region", rule, region)
        account = EMR_ACCOUNTS[region]
    else:
        found = stack.node.try_find_child(_REGISTRY_ACCOUNTS)
        table = cast(CfnMapping, found) if found else _registry_accounts(stack)
        account = table.find_in_map(Aws.REGION, "Account")
    return f"{account}.dkr.ecr.{region}.{Aws.URL_SUFFIX}"


def _registry_accounts(stack: Stack) -> CfnMapping:
    rows = {region: {"Account": account} for region, account in EMR_ACCOUNTS.items()}
    return CfnMapping(stack, _REGISTRY_ACCOUNTS, mapping=rows)
