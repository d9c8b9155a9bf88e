"""Pod templates in S3, as content-addressed files for jobs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import cdk8s
from aws_cdk import Aws, Stage
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from cdk_emr_eks.clusters.manifests import plain
from cdk_emr_eks.errors import refuse
from cdk_emr_eks.field_types import check_argument
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.pods.pod_template import (
    PodTemplate,
    check_pod_template,
    driver_template,
    executor_template,
)
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.names import dns_label
from cdk_emr_eks.values import value


@value
class PodTemplateLocation:
    """Location of a pod template in S3.

    The name of the asset bucket contains only account and region, so other stacks can use the
    location without an export.

    Args:
        uri: ``s3://`` URI, for ``spark.kubernetes.driver.podTemplateFile`` and the executor's.
        object_arn: ARN of the object, for the permission to read it.
    """

    uri: str
    object_arn: str


class PodTemplates(Construct):
    """The pod templates of the platform's workloads, and those of users.

    Each is a CDK file asset. Its key is the hash of its content, so a changed template is a new
    object, and running jobs keep the old one. No Lambda copies files. Readable copies are under
    ``pod-templates/`` of the cloud assembly.

    Resources: none in the template; two files for each workload in the asset bucket.

    Args:
        workloads: The workloads by name.
    """

    def __init__(self, scope: Construct, id: str, *, workloads: Mapping[str, Workload]) -> None:
        super().__init__(scope, id)
        stage = cast(Stage, Stage.of(self))
        # Each platform of an app has a folder, with the path of the platform as its name.
        folder = scope.node.path.replace("/", "-") or id
        self._folder = Path(stage.asset_outdir) / "pod-templates" / folder
        self._locations: dict[tuple[str, SparkRole], PodTemplateLocation] = {}
        self._names: set[str] = set()
        for workload in workloads.values():
            for role, template in (
                (SparkRole.DRIVER, driver_template(workload)),
                (SparkRole.EXECUTOR, executor_template(workload)),
            ):
                name = f"{workload.name}-{role}"
                self._locations[workload.name, role] = self._emit(name, template)

    def location(self, workload: str, role: SparkRole) -> PodTemplateLocation:
        """Return the location of the template of a workload's driver or executor.

        Raises:
            ConfigError: If there is no such workload.
        """
        if (workload, role) not in self._locations:
            known = ", ".join(dict.fromkeys(name for name, _ in self._locations))
            rule = f"must be one of {known}"
            raise refuse(f"PodTemplates {self.node.path!r}", "workload", rule, workload)
        return self._locations[workload, role]

    def upload(
        self, name: str, template: Mapping[str, object] | PodTemplate | Path
    ) -> PodTemplateLocation:
        """Add a pod template of the user, checked against EMR's rules.

        Args:
            name: Name of the readable copy, a unique DNS label.
            template: The template as a mapping, as a typed value, or as the path of a YAML file
                with one document.

        Raises:
            ConfigError: If the name is used already or not a DNS label, the file does not have
                exactly one document, or EMR would refuse the template.
        """
        where = f"Pod template {name!r}"
        for problem in dns_label("name", name):
            raise refuse(where, problem.field, problem.rule, problem.got, problem.fix)
        if name in self._names:
            raise refuse(where, "name", "must be unique", name)
        check_argument(where, "template", Mapping | PodTemplate | Path, template)
        manifest = _manifest(where, template)
        check_pod_template(manifest, where)
        return self._emit(name, manifest)

    def _emit(self, name: str, manifest: Mapping[str, object]) -> PodTemplateLocation:
        self._names.add(name)
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{name}.yaml"
        path.write_text(cdk8s.Yaml.stringify(plain(manifest)), encoding="utf-8")
        return template_asset(self, name, path)


def template_asset(scope: Construct, id: str, path: Path) -> PodTemplateLocation:
    """Return the location of a file as a content-addressed object."""
    asset = assets.Asset(scope, id, path=str(path))
    bucket, key = asset.s3_bucket_name, asset.s3_object_key
    return PodTemplateLocation(
        uri=f"s3://{bucket}/{key}",
        object_arn=f"arn:{Aws.PARTITION}:s3:::{bucket}/{key}",
    )


def _manifest(
    where: str, template: Mapping[str, object] | PodTemplate | Path
) -> Mapping[str, object]:
    if isinstance(template, PodTemplate):
        return template.manifest()
    if isinstance(template, Mapping):
        return template
    if not template.is_file():
        raise refuse(
            where,
            "template",
            "must be a mapping, a PodTemplate or a file",
            str(template),
        )
    documents = [item for item in cdk8s.Yaml.load(str(template)) if item]
    if len(documents) != 1 or not isinstance(documents[0], Mapping):
        rule = f"must hold one YAML document, {template} holds {len(documents)}"
        raise refuse(where, "template", rule)
    return cast(Mapping[str, object], documents[0])
