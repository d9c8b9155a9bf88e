"""What a managed endpoint says is what EMR's guide reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from cdk_emr_eks.model.jobs.job_config import job_configuration
from cdk_emr_eks.model.notebooks.managed_endpoint import (
    ENDPOINT_RELEASE,
    KernelImages,
    ManagedEndpointSpec,
)
from cdk_emr_eks.model.workloads.catalog import NOTEBOOK

GUIDE: Mapping[str, Any] = json.loads(
    (Path(__file__).parent / "data/emr_endpoints.json").read_text()
)
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/kernel@sha256:" + "0123456789abcdef" * 4
SPEC = ManagedEndpointSpec(
    name="full",
    kernel_idle_timeout=timedelta(hours=2),
    kernel_images=KernelImages(python=IMAGE, spark=IMAGE),
    notebook_security_group_id="sg-0123456789abcdef0",
)


def applications() -> dict[str, Mapping[str, Any]]:
    job = job_configuration(
        NOTEBOOK,
        driver_template_uri="s3://assets/driver.yaml",
        executor_template_uri="s3://assets/executor.yaml",
        log_group="/logs",
        log_stream_prefix="notebook",
    )
    items = cast(list[Mapping[str, Any]], SPEC.configuration(job)["applicationConfiguration"])
    return {item["classification"]: item for item in items}


def test_every_property_is_one_of_the_guides() -> None:
    for classification, known in GUIDE["classifications"].items():
        assert set(applications()[classification]["properties"]) <= set(known)


def test_kernels_are_named_as_in_the_guide() -> None:
    kernels = GUIDE["kernels"]
    nested = applications()[kernels["classification"]]["configurations"]
    assert [each["classification"] for each in nested] == kernels["names"]
    assert all(set(each["properties"]) == {kernels["property"]} for each in nested)


def test_the_oldest_release_is_the_guides() -> None:
    assert "emr-" + ".".join(map(str, ENDPOINT_RELEASE)) == GUIDE["oldest_release"]
