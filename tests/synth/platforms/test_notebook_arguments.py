"""Constructs of notebooks, and the ready stacks, refuse bad input before they create anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import aws_cdk as cdk
import pytest

from cdk_emr_eks import (
    ConfigError,
    EmrStudio,
    ExecutionRoleSpec,
    KernelImages,
    Livy,
    LivySpec,
    ManagedEndpoint,
    ManagedEndpointSpec,
    NotebookEndpoint,
    NotebookPlatform,
    RoleUse,
    SparkConnectEndpoint,
    SparkConnectSpec,
    StudioSpec,
    Tenant,
)
from cdk_emr_eks.stacks import tenant_stacks
from cdk_emr_eks.tenants.tenant import EmrEksTenant
from tests.synth.platforms.notebook_app import Parts, new_cluster, new_network, user

# Text where a value belongs.
ANY: Any = "analytics"
IMAGE: Final = f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/kernel@sha256:{'0a' * 32}"
ROLE: Final = ExecutionRoleSpec(name="people", uses=(RoleUse.ENDPOINTS, RoleUse.LIVY))
LIVY: Final = LivySpec(upload_uri="s3://sessions/livy")

CASES: Final[dict[str, tuple[Callable[[EmrEksTenant], object], str]]] = {
    "endpoint's tenant": (
        lambda tenant: ManagedEndpoint(
            tenant, "X", tenant=ANY, spec=ManagedEndpointSpec(name="one")
        ),
        "Managed endpoint 'one': tenant must be EmrEksTenant, got 'analytics'.",
    ),
    "endpoint": (
        lambda tenant: ManagedEndpoint(tenant, "X", tenant=tenant, spec=ANY),
        "Managed endpoint: spec must be ManagedEndpointSpec, got 'analytics'.",
    ),
    "Spark Connect's tenant": (
        lambda tenant: SparkConnectEndpoint(
            tenant, "X", tenant=ANY, spec=SparkConnectSpec(name="one")
        ),
        "Spark Connect endpoint 'one': tenant must be EmrEksTenant, got 'analytics'.",
    ),
    "Spark Connect": (
        lambda tenant: SparkConnectEndpoint(tenant, "X", tenant=tenant, spec=ANY),
        "Spark Connect endpoint: spec must be SparkConnectSpec, got 'analytics'.",
    ),
    "Livy's tenant": (
        lambda tenant: Livy(tenant, "X", tenant=ANY, spec=LIVY),
        "Livy: tenant must be EmrEksTenant, got 'analytics'.",
    ),
    "Livy": (
        lambda tenant: Livy(tenant, "X", tenant=tenant, spec=ANY),
        "Livy: spec must be LivySpec, got 'analytics'.",
    ),
}


@pytest.fixture(scope="module")
def tenant() -> EmrEksTenant:
    stack = cdk.Stack(cdk.App(), "Stack")
    return new_cluster(stack).add_tenant(Tenant(name="one", execution_roles=(ROLE,)), scope=stack)


@pytest.mark.parametrize("case", CASES)
def test_constructs_refuse_in_words(tenant: EmrEksTenant, case: str) -> None:
    make, message = CASES[case]
    before = len(tenant.node.find_all())
    with pytest.raises(ConfigError) as refused:
        make(tenant)
    assert str(refused.value) == message
    assert len(tenant.node.find_all()) == before


def test_kernels_of_a_registry_that_the_tenant_may_not_use_make_nothing() -> None:
    parts = Parts()
    before = parts.made()
    kernels = KernelImages(spark=IMAGE)
    with pytest.raises(ConfigError, match="Notebook endpoint 'own': kernel_images must be of a"):
        parts.platform.add_user(user("ann", NotebookEndpoint(name="own", kernel_images=kernels)))
    assert parts.made() == before


def test_an_app_has_one_studio_of_a_name_in_a_region() -> None:
    # A session can only get endpoints that have the name of the Studio in a tag.
    app = cdk.App()

    def platform(id: str, region: str) -> NotebookPlatform:
        env = cdk.Environment(account="111122223333", region=region)
        stack = cdk.Stack(app, id, env=env)
        return NotebookPlatform(
            stack,
            "Notebooks",
            cluster=new_cluster(stack),
            studio_name="research",
            network=new_network(stack),
        )

    platform("First", "eu-west-1")
    platform("Elsewhere", "eu-north-1")
    with pytest.raises(ConfigError, match=r"name must be unique.*First/Notebooks.*'research'"):
        platform("Second", "eu-west-1")
    stack = cdk.Stack(app, "Third", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    with pytest.raises(ConfigError, match="name must be unique"):
        EmrStudio(stack, "Studio", spec=StudioSpec(name="research"), network=new_network(stack))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"stacks": 0}, "stacks must be a whole number, at least 1, got 0"),
        ({"stacks": "2"}, "stacks must be a whole number, at least 1, got '2'"),
        ({"tenants": ["one"]}, "tenants must be Tenant, got 'one'"),
    ],
)
def test_ready_stacks_of_tenants_refuse_in_words(options: dict[str, Any], said: str) -> None:
    app = cdk.App()
    cluster = new_cluster(cdk.Stack(app, "Base"))
    given: dict[str, Any] = {"tenants": [Tenant(name="one")], "stacks": 1, **options}
    before = len(app.node.find_all())
    with pytest.raises(ConfigError, match=said):
        tenant_stacks(app, "Tenants", cluster=cluster, **given)
    assert len(app.node.find_all()) == before
