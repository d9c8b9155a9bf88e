"""Custom images in jobs: where they are set, precedence, and errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, cast

import aws_cdk as cdk
import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.images.image import SparkImage
from cdk_emr_eks.jobs.job_template import JobTemplate
from cdk_emr_eks.model.admission.admission import Admission, AdmissionMode
from cdk_emr_eks.model.jobs.job_config import IMAGE, job_configuration, with_image
from cdk_emr_eks.model.jobs.job_template import JobTemplateSpec
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.workloads.catalog import SHARED
from cdk_emr_eks.platforms.tenant_host import TenantHost
from cdk_emr_eks.tenants.tenant import EmrEksTenant
from tests.synth.images.image_app import DIGEST, SCIENCE
from tests.synth.tenants.tenancy_app import new_app, new_context

HOST = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
OWN = f"{HOST}/team/spark@{DIGEST}"
OTHER = f"{HOST}/team/other@{DIGEST}"
TEAM = Admission(registries=(f"{HOST}/team/",))
EMR = f"public.ecr.aws/emr-on-eks/spark/emr-7.14.0@{DIGEST}"
JOB = JobTemplateSpec(name="job", workload="shared", entry_point="s3://bucket/job.py")
CONFIGURATION = job_configuration(
    SHARED,
    driver_template_uri="s3://assets/driver.yaml",
    executor_template_uri="s3://assets/executor.yaml",
    log_group="/logs",
    log_stream_prefix="shared",
)


def image_of(configuration: Mapping[str, object]) -> str | None:
    items = cast(list[dict[str, Any]], configuration["applicationConfiguration"])
    spark = {each["classification"]: each["properties"] for each in items}["spark-defaults"]
    return cast(str | None, spark.get(IMAGE))


def refused(make: Callable[[], object]) -> str:
    with pytest.raises(ConfigError) as raised:
        make()
    assert raised.value.fields == ("image",)
    return str(raised.value)


# ---- without a cluster


def test_an_image_is_added_to_the_configuration_without_changing_the_original() -> None:
    changed = with_image("Job", CONFIGURATION, OWN)
    assert image_of(changed) == OWN
    assert image_of(CONFIGURATION) is None
    items = cast(list[dict[str, Any]], changed["applicationConfiguration"])
    del items[0]["properties"][IMAGE]
    assert changed == CONFIGURATION
    assert with_image("Job", CONFIGURATION, None) is CONFIGURATION


def test_no_more_properties_than_the_api_takes() -> None:
    room = 100 - len(cast(Any, CONFIGURATION)["applicationConfiguration"][0]["properties"])
    full = replace(SHARED, spark_conf={f"spark.sql.x{number}": "1" for number in range(room)})
    configuration = job_configuration(
        full,
        driver_template_uri="s3://assets/driver.yaml",
        executor_template_uri="s3://assets/executor.yaml",
        log_group="/logs",
        log_stream_prefix="shared",
    )
    with pytest.raises(ConfigError, match="at most 100 properties"):
        with_image("Job", configuration, OWN)


@pytest.mark.parametrize("image", [f"{HOST}/team/spark:1", f"{HOST}/team/spark", "spark", ""])
def test_an_image_without_a_digest_is_refused(image: str) -> None:
    refused(lambda: with_image("Job", CONFIGURATION, image))
    refused(lambda: Tenant(name="data", image=image, admission=TEAM))
    refused(lambda: replace(JOB, image=image))


def test_an_image_that_admission_would_refuse_is_refused_at_once() -> None:
    assert "admission.registries" in refused(lambda: Tenant(name="data", image=OWN))
    other = Admission(registries=(f"{HOST}/other/",))
    refused(lambda: Tenant(name="data", image=OWN, admission=other))
    # Of a token only this is known: that nothing but EMR's images may run.
    refused(lambda: Tenant(name="data", image="${Token[TOKEN.1]}"))


@pytest.mark.parametrize(
    ("image", "admission"),
    [
        (OWN, TEAM),
        (EMR, Admission()),
        (OWN, Admission(mode=AdmissionMode.AUDIT)),
        ("${Token[TOKEN.1]}", TEAM),
        ("${Token[TOKEN.1]}", Admission(registries=("${Token[TOKEN.2]}/emr-eks/science/",))),
    ],
)
def test_an_image_that_it_lets_run(image: str, admission: Admission) -> None:
    assert Tenant(name="data", image=image, admission=admission).image == image


@pytest.mark.parametrize("registry", ["${Token[TOKEN.2]}", "${Token[TOKEN.2]}/a/,b/"])
def test_a_registry_with_a_token_is_one_folder(registry: str) -> None:
    with pytest.raises(ConfigError):
        Admission(registries=(registry,))


# ---- on a cluster


@cache
def platform() -> tuple[cdk.App, TenantHost, EmrEksTenant, SparkImage]:
    app = new_app()
    stack = cdk.Stack(app, "Platform")
    image = SparkImage(stack, "Science", spec=SCIENCE)
    host = TenantHost(stack, "Host")
    host.context = new_context(stack)
    admission = Admission(registries=(f"{HOST}/team/", image.registry))
    tenant = host.add_tenant(Tenant(name="data", image=image.uri, admission=admission))
    JobTemplate(tenant, "JobTemplate", tenant=tenant, spec=replace(JOB, image=OTHER))
    JobTemplate(tenant, "JobTemplate-plain", tenant=tenant, spec=replace(JOB, name="plain"))
    return app, host, tenant, image


def resources(kind: str) -> list[dict[str, Any]]:
    template = cdk.assertions.Template.from_stack(
        cast(cdk.Stack, platform()[0].node.find_child("Platform"))
    ).to_json()
    return [each for each in template["Resources"].values() if each["Type"] == kind]


def test_the_tenant_s_image_unless_a_job_names_another() -> None:
    _, host, tenant, image = platform()
    assert image_of(tenant.job_configuration("shared")) == image.uri
    assert image_of(tenant.job_configuration("shared", image=OWN)) == OWN
    plain = host.job_configuration("shared", log_group="/logs")
    assert image_of(plain) is None
    assert image_of(host.job_configuration("shared", log_group="/logs", image=OWN)) == OWN


def test_what_neither_admission_nor_a_digest_speaks_for_is_refused() -> None:
    _, host, tenant, _ = platform()
    foreign = f"ghcr.io/example/spark@{DIGEST}"
    refused(lambda: tenant.job_configuration("shared", image=foreign))
    refused(lambda: tenant.job_configuration("shared", image=f"{HOST}/team/spark:1"))
    refused(lambda: tenant.job_configuration("shared", image=cast(str, 5)))
    refused(lambda: host.job_configuration("shared", log_group="/logs", image=f"{HOST}/a:1"))
    job = replace(JOB, image=foreign)
    refused(lambda: JobTemplate(tenant, "Foreign", tenant=tenant, spec=job))
    assert tenant.node.try_find_child("Foreign") is None


def test_templates_and_outputs_name_the_image_by_its_parameter() -> None:
    (parameter,) = (each for each in resources("AWS::SSM::Parameter") if "by digest" in str(each))
    assert parameter["Properties"]["Description"] == "URI of image Science by digest"
    found = {
        each["Properties"]["Name"]: each["Properties"]["JobTemplateData"]
        for each in resources("AWS::EMRContainers::JobTemplate")
    }
    images = {}
    for name, data in found.items():
        spark = data["ConfigurationOverrides"]["ApplicationConfiguration"][0]
        images[name] = spark["Properties"][IMAGE]
    assert images["job"] == OTHER
    assert images["plain"]["Fn::GetAtt"][1] == "Value"


def test_pods_of_the_image_pass_admission() -> None:
    (objects,) = (
        each
        for each in resources("Custom::AWSCDK-EKS-KubernetesResource")
        if "emr-eks/registries" in str(each)
    )
    text = "".join(
        part if isinstance(part, str) else next(iter(part.values()))
        for part in objects["Properties"]["Manifest"]["Fn::Join"][1]
        if isinstance(part, str) or "Ref" in part
    )
    host = "AWS::AccountId.dkr.ecr.AWS::Region.AWS::URLSuffix"
    assert f'"emr-eks/registries":"{HOST}/team/,{host}/emr-eks/science/"' in text
