"""Images for jobs and for the kernels of notebooks."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final, cast

import jsii
from aws_cdk import (
    Aws,
    CfnWaitCondition,
    CfnWaitConditionHandle,
    Duration,
    Fn,
    IgnoreMode,
    IResolveContext,
    IStringProducer,
    Lazy,
    RemovalPolicy,
    Stack,
    Stage,
    Token,
)
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_ssm as ssm
from constructs import Construct, IDependable

from cdk_emr_eks.field_types import check_argument
from cdk_emr_eks.images.pipeline import QUEUE_MINUTES, build_project, image_pipeline
from cdk_emr_eks.images.roles import build_role, pipeline_role
from cdk_emr_eks.labels import Architecture
from cdk_emr_eks.model.images.dockerfile import JARS, REQUIREMENTS, derived_dockerfile
from cdk_emr_eks.model.images.emr_images import ImageKind, base_image
from cdk_emr_eks.model.images.image import ImageSpec
from cdk_emr_eks.model.images.image_uri import ecr_repository
from cdk_emr_eks.security.suppressions import skip_checkov

_JOIN_MINUTES: Final = 15
_FOLDER: Final = "emr-eks"
# Patterns of files that are never in a build context, and of those that always are.
_NEVER: Final = (".git", ".hg", ".svn", "cdk.out", "**/__pycache__", "**/.DS_Store")
_ALWAYS: Final = ("!Dockerfile", "!.dockerignore")


class EmrImage(Construct):
    """Base of ``SparkImage`` and ``NotebookImage``: build and name an image.

    The deployment waits for the image, and fails with the reason of the build. It needs no Lambda
    function, and no Docker at synth: a pipeline starts when it is created, builds on a machine of
    each architecture, joins the images under one immutable tag, and signals the digest to
    CloudFormation. Content that the repository has, for example after a rollback, is not built
    again.

    Attributes:
        spec: The image, with its kind resolved.
        tag: Tag: 32 hexadecimal digits of a hash of content, base image and architectures.
        base: URI of the base image.
        repository: Repository in ECR, with immutable tags and scans on push.
        registry: Prefix of the image's name, for ``Admission.registries``; a token if account or
            Region is one.
        parameter: Name of an SSM parameter with the URI by digest, for scripts; a token.
        ready: Dependency of resources that use the image. ``uri`` waits for the image as well.
        kinds: Kinds that the construct accepts, the default first.
    """

    kinds: ClassVar[tuple[ImageKind, ...]]

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        spec: ImageSpec,
        key: kms.IKey | None = None,
        asset_key: kms.IKey | None = None,
    ) -> None:
        check_argument(type(self).__name__, "spec", ImageSpec, spec)
        spec = spec.with_kind(*self.kinds)
        where = f"Image {spec.name!r}"
        check_argument(where, "key", kms.IKey | None, key)
        check_argument(where, "asset_key", kms.IKey | None, asset_key)
        super().__init__(scope, id)
        stack = Stack.of(self)
        account, region = stack.account, stack.region
        self.spec = spec
        self.base = spec.base or base_image(
            spec.resolved_kind(),
            spec.release_label,
            None if Token.is_unresolved(region) else region,
        )
        context = _build_context(self, "Context", spec)
        self.tag = _content_tag(spec, self.base, context.asset_hash)
        self.repository = _repository(self, spec, key)
        host = f"{account}.dkr.ecr.{region}.{stack.url_suffix}"
        self.registry = f"{host}/{_FOLDER}/{spec.name}/"
        self._repository_uri = self.repository.repository_uri
        wait = self._build(context, asset_key)
        self.ready: IDependable = wait
        parameter = _uri_parameter(self, self._repository_uri, wait)
        self.parameter = parameter.ref
        by_tag = f"{self._repository_uri}:{self.tag}"
        uri = _Uri(stack, within=parameter.attr_value, elsewhere=by_tag)
        self._uri = Lazy.uncached_string(cast(IStringProducer, uri))

    @property
    def uri(self) -> str:
        """URI of the image, a token: by digest in its stack, by its immutable tag in other stacks.

        An exported digest would block updates: CloudFormation cannot change an export that another
        stack imports, and each new image has another digest.
        """
        return self._uri

    def grant_pull(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let an IAM identity pull the image. Nodes of the platform may pull all images."""
        return self.repository.grant_pull(grantee)

    def _build(self, context: assets.Asset, asset_key: kms.IKey | None) -> CfnWaitCondition:
        bucket, key = context.s3_bucket_name, context.s3_object_key
        name = _pipeline_name(self, self.spec.name)
        bucket_arn = f"arn:{Aws.PARTITION}:s3:::{bucket}"
        artifacts = f"{bucket_arn}/{name}/*"
        projects = self._projects(name, artifacts)
        pipeline_access = pipeline_role(
            self,
            "PipelineRole",
            bucket=bucket_arn,
            source=f"{bucket_arn}/{key}",
            artifacts=artifacts,
            projects=[project.attr_arn for project in projects.values()],
            asset_key=asset_key,
        )
        # CloudFormation waits for a condition only once, so each content has a separate one.
        handle = CfnWaitConditionHandle(self, f"Handle{self.tag[:12]}")
        # The URL contains the logical id, and must be short: see ``image_uri.MAX_BASE``.
        handle.override_logical_id(f"Image{_place(self)}{self.tag[:12]}")
        pipeline = image_pipeline(
            self,
            "Pipeline",
            name=name,
            role_arn=pipeline_access.role_arn,
            bucket=bucket,
            key=key,
            projects=projects,
            variables={
                "TAG": self.tag,
                "BASE_IMAGE": self.base,
                # A user who can read the pipeline could signal another digest to CloudFormation,
                # but only of an image in this repository.
                "SIGNAL_URL": handle.ref,
            },
        )
        minutes = int(self.spec.builder.timeout.total_seconds()) // 60
        wait = CfnWaitCondition(
            self,
            f"Built{self.tag[:12]}",
            handle=handle.ref,
            count=1,
            timeout=str((minutes + 2 * QUEUE_MINUTES + _JOIN_MINUTES) * 60),
        )
        wait.add_resource_dependency(pipeline)
        return wait

    def _projects(self, name: str, artifacts: str) -> Mapping[Architecture, codebuild.CfnProject]:
        log_group = logs.CfnLogGroup(self, "Logs", retention_in_days=30)
        why = "CloudWatch's own key: what pip and Docker print about public packages"
        skip_checkov(log_group, {"CKV_AWS_158": why})
        role = build_role(
            self,
            "BuildRole",
            repository=self.repository.repository_arn,
            log_group=log_group.attr_arn,
            artifacts=artifacts,
            base=ecr_repository(self.base),
            reads_public=self.base.startswith("public.ecr.aws/"),
        )
        role_arn, group = role.role_arn, log_group.ref
        variables = {
            "REPOSITORY": self._repository_uri,
            "ARCHITECTURES": " ".join(self.spec.resolved_architectures()),
        }
        return {
            architecture: build_project(
                self,
                architecture,
                name=f"{name}-{architecture}",
                builder=self.spec.builder,
                role_arn=role_arn,
                variables=variables,
                log_group=group,
            )
            for architecture in self.spec.resolved_architectures()
        }


class SparkImage(EmrImage):
    """Build an image for jobs, Spark Connect and Livy from EMR's Spark image.

    Pass ``uri`` to ``EmrEksTenant.job_configuration(..., image=...)``, to ``JobTemplateSpec.image``
    or to ``Tenant.image``.

    Resources for both architectures: ten (repository, log group, two roles, two build
    projects, pipeline, handle and condition of the wait, parameter with the URI); for one
    architecture: nine. The build context is a file asset.

    Args:
        spec: The image.
        key: KMS key of the repository. None: ECR's own encryption.
        asset_key: KMS key of the asset bucket, if the environment was bootstrapped with
            ``--bootstrap-customer-key``. None: the bucket has no customer managed key.

    Raises:
        ConfigError: If the kind of the spec is one for notebooks.
    """

    kinds = (ImageKind.SPARK,)


class NotebookImage(EmrImage):
    """Build an image for the kernels of managed endpoints from EMR's notebook images.

    The default kind is that of the PySpark kernel. The image is built for amd64 only, where EMR
    runs endpoints. Pass ``uri`` to ``KernelImages``, as ``spark`` or ``python`` depending on the
    kind.

    Resources: nine, as for a ``SparkImage`` of one architecture.

    Args:
        spec: The image.
        key: KMS key of the repository. None: ECR's own encryption.
        asset_key: KMS key of the asset bucket, if the environment was bootstrapped with
            ``--bootstrap-customer-key``. None: the bucket has no customer managed key.

    Raises:
        ConfigError: If the kind of the spec is Spark's, or the spec is for arm64.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/docker-custom-images-managed-endpoint.html
    """

    kinds = (ImageKind.NOTEBOOK_SPARK, ImageKind.NOTEBOOK_PYTHON)


def _build_context(scope: Construct, id: str, spec: ImageSpec) -> assets.Asset:
    """Create the asset of an image's build context. The image is built when its hash changes.

    A derived context is written to ``images/`` of the cloud assembly, where users can read it.
    """
    if spec.directory is None:
        return assets.Asset(scope, id, path=str(_derive(scope, spec)))
    return assets.Asset(
        scope,
        id,
        path=str(spec.directory),
        exclude=[*_NEVER, *_ignored(spec.directory), *_ALWAYS],
        # As Docker itself reads .dockerignore.
        ignore_mode=IgnoreMode.DOCKER,
    )


def _ignored(directory: Path) -> list[str]:
    path = directory / ".dockerignore"
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _derive(scope: Construct, spec: ImageSpec) -> Path:
    stage = cast(Stage, Stage.of(scope))
    folder = Path(stage.asset_outdir) / "images" / scope.node.path.replace("/", "-")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    lines = spec.requirement_lines()
    text = derived_dockerfile(requirements=bool(lines), jars=bool(spec.jars))
    (folder / "Dockerfile").write_text(text, encoding="utf-8")
    if lines:
        (folder / REQUIREMENTS).write_text("\n".join([*lines, ""]), encoding="utf-8")
    if spec.jars:
        (folder / JARS).mkdir()
    for jar in spec.jars:
        shutil.copyfile(jar, folder / JARS / jar.name)
    return folder


def _content_tag(spec: ImageSpec, base: str, context_hash: str) -> str:
    """Return a hash of everything that determines the image; the builder is not part of it."""
    content = [context_hash, base, *spec.resolved_architectures(), spec.revision]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]


def _repository(scope: Construct, spec: ImageSpec, key: kms.IKey | None) -> ecr.Repository:
    store = spec.store
    # A changed key replaces the repository, and the new one needs another name.
    salt = key.node.path if key else ""
    repository = ecr.Repository(
        scope,
        "Repository",
        repository_name=f"{_FOLDER}/{spec.name}/{_place(scope, salt)}",
        image_scan_on_push=True,
        image_tag_mutability=ecr.TagMutability.IMMUTABLE,
        encryption=ecr.RepositoryEncryption.KMS if key else ecr.RepositoryEncryption.AES_256,
        encryption_key=key,
        removal_policy=RemovalPolicy.RETAIN if store.retain else RemovalPolicy.DESTROY,
        empty_on_delete=None if store.retain else True,
        lifecycle_rules=[
            ecr.LifecycleRule(
                description="What an interrupted push left",
                tag_status=ecr.TagStatus.UNTAGGED,
                max_image_age=Duration.days(7),
            ),
            ecr.LifecycleRule(
                description=f"The newest {store.images} builds",
                tag_status=ecr.TagStatus.ANY,
                # One image for each architecture, and the manifest list.
                max_image_count=store.images * (len(spec.resolved_architectures()) + 1),
            ),
        ],
    )
    if key is None:
        why = "S3's own encryption: the image holds no secrets; give a key to have its own"
        resource = cast(ecr.CfnRepository, repository.node.default_child)
        skip_checkov(resource, {"CKV_AWS_136": why})
    return repository


def _pipeline_name(scope: Construct, image: str) -> str:
    """Return a name for a pipeline with at most 20 characters.

    Keys of artifacts begin with the first 20 characters of the name, and the roles' permissions are
    restricted to that prefix.
    Source: https://repost.aws/questions/QUI91tw7A9SUOMohJurNqmgA
    """
    return f"{image[:11].rstrip('-')}-{_place(scope)}"


def _place(scope: Construct, salt: str = "") -> str:
    """Return eight digits of a hash of stack and path, to separate images with the same name."""
    stack = Stack.of(scope)
    while stack.nested_stack_parent is not None:
        stack = stack.nested_stack_parent
    place = json.dumps([stack.stack_name, scope.node.path, salt])
    return hashlib.sha256(place.encode()).hexdigest()[:8]


def _uri_parameter(
    scope: Construct, repository_uri: str, wait: CfnWaitCondition
) -> ssm.CfnParameter:
    """Write the URI into a parameter, for scripts; its value is text in CloudFormation's schemas.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-waitcondition.html
    """
    # {"image":"sha256:..."}: the digest is after the third quote, with any white space.
    digest = Fn.select(3, Fn.split('"', wait.attr_data.to_string()))
    parameter = ssm.CfnParameter(
        scope,
        "Uri",
        type="String",
        description=f"URI of image {scope.node.id} by digest",
        value=f"{repository_uri}@{digest}",
    )
    # The schema declares the data as an object, and cfn-lint checks that; it is JSON text.
    parameter.add_metadata("cfn-lint", {"config": {"ignore_checks": ["E1022"]}})
    return parameter


@jsii.implements(IStringProducer)
class _Uri:
    """Resolves to the URI of an image, depending on the stack that refers to it."""

    def __init__(self, stack: Stack, *, within: str, elsewhere: str) -> None:
        self._stack = stack.node.path
        self._within = within
        self._elsewhere = elsewhere

    def produce(self, context: IResolveContext) -> str:
        """Return the URI, by digest in the stack of the image."""
        own = Stack.of(context.scope).node.path == self._stack
        return self._within if own else self._elsewhere
