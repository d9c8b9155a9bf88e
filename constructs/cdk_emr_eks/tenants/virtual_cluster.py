"""``EmrVirtualCluster``: a namespace that EMR runs jobs in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from aws_cdk import Aws, CfnOutput, CfnResource, CfnTag, RemovalPolicy, Stack, custom_resources
from aws_cdk import aws_emrcontainers as emrcontainers
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_emr_eks.clusters.manifests import KubernetesObject, ManifestBundle, plain
from cdk_emr_eks.errors import refuse
from cdk_emr_eks.model.namespaces.namespace import NamespaceOwner, namespace_manifest
from cdk_emr_eks.model.tenants.emr_access import aws_auth_entry, emr_role_manifests
from cdk_emr_eks.model.tenants.virtual_cluster import (
    EmrAccess,
    SchedulerLimits,
    VirtualClusterSpec,
)
from cdk_emr_eks.security.suppressions import managed_policy, skip_checkov, suppress
from cdk_emr_eks.tenants.claims import AppClaims
from cdk_emr_eks.tenants.context import TenancyContext
from cdk_emr_eks.tenants.security_configuration import (
    EmrSecurityConfiguration,
    system_namespace_objects,
)

_SERVICE: Final = "emr-containers.amazonaws.com"

# Id of the function behind AwsCustomResource in the CDK's source; a stack has one for all calls.
_SDK_FUNCTION: Final = "AWS679f53fac002430cb0da5b7982bd2287"
_SDK_LOG_DAYS: Final = 30


class EmrVirtualCluster(Construct):
    """A virtual cluster and its namespace, in the order that EMR needs.

    CloudFormation creates the namespace and its objects before the virtual cluster and deletes them
    after it. All properties but the tags and the scheduler limits are immutable; see
    ``VirtualClusterSpec``.

    With ``session_enabled`` it has a security configuration and a system namespace, which are
    created before the virtual cluster, the namespace first.

    Resources: one ``AWS::EMRContainers::VirtualCluster``; one custom resource of Kubernetes
    objects, unless the namespace exists and needs no objects; with sessions one
    ``AWS::EMRContainers::SecurityConfiguration``; with scheduler limits a custom resource, its
    policy, and for the first one in the stack a Lambda function and its role.

    Attributes:
        spec: As given.
        namespace: The namespace's name.
        resource: The CloudFormation resource.
        id: Id in EMR, a token.
        arn: ARN, a token.
        security_configuration: Its security configuration. None: without sessions, or with an id
            in the options.

    Args:
        context: The platform.
        spec: Name, namespace and options.
        objects: Further Kubernetes objects of the namespace, such as a quota.
        owner: Owner of the namespace. None: a tenant with the namespace's name, without admission
            policies.

    Raises:
        ConfigError: If another virtual cluster of the app has one of its namespaces.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        context: TenancyContext,
        spec: VirtualClusterSpec,
        objects: Sequence[KubernetesObject] = (),
        owner: NamespaceOwner | None = None,
    ) -> None:
        super().__init__(scope, id)
        self.spec = spec
        self.namespace = spec.resolved_namespace
        AppClaims.of(self).claim(
            self,
            "namespace",
            context.cluster_name,
            self.namespace,
            field="namespace",
            rule="must have one virtual cluster only",
        )
        manifests = self._manifests(objects, owner or NamespaceOwner(tenant=self.namespace))
        bundle = ManifestBundle(self, "Namespace", cluster=context.cluster) if manifests else None
        if bundle is not None:
            bundle.add(*manifests)
        self._bundle = bundle
        self.security_configuration = self._security_configuration(context, bundle)
        if spec.options.access is EmrAccess.AWS_AUTH:
            self._tell_aws_auth(context.cluster_name)
        self.resource = self._virtual_cluster(context.cluster_name)
        self.id = self.resource.ref
        self.arn = self.resource.attr_arn
        first = self.resource if bundle is None else bundle
        if context.ready:
            first.node.add_dependency(*context.ready)
        if bundle is not None:
            self.resource.node.add_dependency(bundle)
        if spec.options.scheduler_limits is not None:
            self._limit(spec.options.scheduler_limits)

    def add_object(self, item: KubernetesObject) -> None:
        """Add a Kubernetes object to those of the namespace, before the virtual cluster.

        Several endpoints of one virtual cluster can add the same object.

        Raises:
            ConfigError: If a different object of its kind, namespace and name exists, or no object
                is created with the namespace.
        """
        if self._bundle is None:
            rule, fix = "must be created here or have other objects", "set create_namespace"
            where = f"Virtual cluster {self.spec.name!r}"
            raise refuse(where, "namespace", rule, self.namespace, fix)
        if plain(item) not in self._bundle.objects():
            self._bundle.add(item)

    def _manifests(
        self, objects: Sequence[KubernetesObject], owner: NamespaceOwner
    ) -> list[KubernetesObject]:
        spec = self.spec
        manifests: list[KubernetesObject] = []
        if spec.create_namespace:
            manifests.append(namespace_manifest(self.namespace, owner))
        manifests += objects
        if spec.options.access is EmrAccess.AWS_AUTH:
            manifests += emr_role_manifests(self.namespace)
        if own := spec.options.own_security_configuration:
            system = own.resolved_system_namespace(self.namespace)
            manifests += system_namespace_objects(system, owner.tenant, spec.options.access)
        return manifests

    def _security_configuration(
        self, context: TenancyContext, bundle: ManifestBundle | None
    ) -> EmrSecurityConfiguration | None:
        own = self.spec.options.own_security_configuration
        if own is None:
            return None
        return EmrSecurityConfiguration(
            self,
            "SecurityConfiguration",
            context=context,
            spec=own,
            namespace=self.namespace,
            created_by=bundle,
        )

    def _virtual_cluster(self, cluster_name: str) -> emrcontainers.CfnVirtualCluster:
        own, options = self.security_configuration, self.spec.options
        cfn = emrcontainers.CfnVirtualCluster
        return cfn(
            self,
            "Resource",
            name=self.spec.name,
            container_provider=cfn.ContainerProviderProperty(
                type="EKS",
                id=cluster_name,
                info=cfn.ContainerInfoProperty(
                    eks_info=cfn.EksInfoProperty(namespace=self.namespace)
                ),
            ),
            security_configuration_id=own.id if own else options.security_configuration_id,
            session_enabled=options.session_enabled or None,
            tags=[CfnTag(key=key, value=value) for key, value in self.spec.tags.items()] or None,
        )

    def _tell_aws_auth(self, cluster_name: str) -> None:
        CfnOutput(
            self,
            "AwsAuthEntry",
            value=aws_auth_entry(Aws.PARTITION, Aws.ACCOUNT_ID),
            description=f"Add once to mapRoles of the ConfigMap kube-system/aws-auth "
            f"of {cluster_name}, before the first job",
        )

    def _limit(self, limits: SchedulerLimits) -> None:
        call = custom_resources.AwsSdkCall(
            service="@aws-sdk/client-emr-containers",
            action="UpdateVirtualCluster",
            parameters={"id": self.id, "schedulerConfiguration": limits.parameters()},
            physical_resource_id=custom_resources.PhysicalResourceId.of("scheduler-limits"),
        )
        setting = custom_resources.AwsCustomResource(
            self,
            "SchedulerLimits",
            on_update=call,
            policy=custom_resources.AwsCustomResourcePolicy.from_statements(
                [
                    iam.PolicyStatement(
                        actions=["emr-containers:UpdateVirtualCluster"],
                        resources=[self.arn],
                    )
                ]
            ),
            resource_type="Custom::EmrSchedulerLimits",
            # The SDK of the Lambda runtime is older and may lack the operation. The latest one is
            # a download of about a minute when limits are set.
            install_latest_aws_sdk=True,
        )
        _suppress_sdk_call(setting)


class EmrServiceLinkedRole(Construct):
    """EMR's service-linked role, for accounts where the deploying role cannot create it.

    EMR creates the role with the first virtual cluster, and creating it twice fails. So use this
    construct only for an account without the role, and once in an app.

    Resources: one ``AWS::IAM::ServiceLinkedRole``.

    Raises:
        ConfigError: If the app creates it already for the same account.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        AppClaims.of(self).claim(
            self,
            "service-linked-role",
            _SERVICE,
            field="service-linked role",
            rule="must be created once for an account",
            in_all_regions=True,
        )
        iam.CfnServiceLinkedRole(self, "Resource", aws_service_name=_SERVICE)


def _suppress_sdk_call(call: custom_resources.AwsCustomResource) -> None:
    """Suppress findings on the CDK's function behind a call, and delete its logs with the stack.

    With the CDK's feature flag for log groups of functions, the group is a resource that the CDK
    retains, with logs of two years. The call depends on the group: if the group were deleted first,
    the function would create it again for the call's deletion, and it would stay.
    """
    function = Stack.of(call).node.find_child(_SDK_FUNCTION)
    arn = f"arn:{Aws.PARTITION}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    suppress(function, {managed_policy(call, arn): "The function writes its logs"})
    skip_checkov(
        cast(CfnResource, function.node.default_child),
        {
            "CKV_AWS_115": "CloudFormation calls it for one resource at a time",
            "CKV_AWS_116": "CloudFormation waits for its answer and reports what fails",
            "CKV_AWS_117": "It calls AWS's public API, and nothing in the VPC",
        },
    )
    found = function.node.try_find_child("LogGroup")
    if found is not None:
        group = cast(logs.CfnLogGroup, found.node.default_child)
        group.retention_in_days = _SDK_LOG_DAYS
        group.apply_removal_policy(RemovalPolicy.DESTROY)
        call.node.add_dependency(group)
        why = "CloudWatch's own key: answers of AWS's API, nothing of the jobs"
        skip_checkov(group, {"CKV_AWS_158": why})
