"""One app that the tests of notebooks share: Studios of all ways to sign in, on one cluster."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from cdk_emr_eks.model.access.data_access import glue_access, lake_formation_access, s3_user_folder
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, RoleUse
from cdk_emr_eks.model.notebooks.notebook_endpoint import NotebookEndpoint
from cdk_emr_eks.model.notebooks.notebook_user import IdentityType, NotebookUser
from cdk_emr_eks.model.notebooks.studio import IdentityCenterAuth, SamlAuth, StudioSpec
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.notebooks.studio_network import StudioNetwork
from cdk_emr_eks.platforms.imported_cluster import ImportedEmrEksCluster, ImportedPlatform
from cdk_emr_eks.platforms.notebook_platform import NotebookPlatform
from tests.synth.iam_decisions import Account

PROVIDER = "arn:aws:iam::111122223333:saml-provider/corporate"
INSTANCE = "arn:aws:sso:::instance/ssoins-1234567890abcdef"
BOUNDARY = "arn:aws:iam::111122223333:policy/boundary"


def new_cluster(scope: cdk.Stack, name: str = "data-platform") -> ImportedEmrEksCluster:
    """Return an existing cluster that supports endpoints."""
    return ImportedEmrEksCluster.from_cluster_attributes(
        scope,
        "Cluster",
        kubectl_service_token="arn:aws:lambda:eu-west-1:111122223333:function:kubectl",
        platform=ImportedPlatform(cluster_name=name, endpoints=True),
    )


def new_network(scope: cdk.Stack) -> StudioNetwork:
    """Return two private subnets of an existing VPC."""
    vpc = ec2.Vpc.from_vpc_attributes(
        scope,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["eu-west-1a", "eu-west-1b"],
        private_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        private_subnet_route_table_ids=["rtb-0123456789abcdef0", "rtb-0123456789abcdef1"],
    )
    return StudioNetwork(vpc=vpc, subnets=tuple(vpc.private_subnets))


def own(user: str, **options: Any) -> NotebookEndpoint:
    """Return an endpoint of one user, with a separate namespace and folder."""
    permissions = s3_user_folder("lake", user=user, root="home")
    return NotebookEndpoint(
        name=f"{user}-endpoint", namespace=user, permissions=permissions, **options
    )


SHARED = NotebookEndpoint(name="team", permissions=glue_access("sales"))


def user(name: str, *given: NotebookEndpoint | str, **options: Any) -> NotebookUser:
    """A user of these endpoints."""
    return NotebookUser(identity_name=name, endpoints=given, **options)


def endpoint(name: str = "team", **options: Any) -> NotebookEndpoint:
    """Return an endpoint, by default without permissions on data."""
    return NotebookEndpoint(name=name, **options)


class Parts:
    """A stack with a cluster and a network, and a platform on them."""

    def __init__(self, **options: Any) -> None:
        self.app = cdk.App(analytics_reporting=False)
        self.stack = cdk.Stack(self.app, "Stack")
        self.cluster = new_cluster(self.stack)
        self.network = new_network(self.stack)
        given = {"studio_name": "research", "network": self.network}
        self.platform = NotebookPlatform(
            self.stack, "Notebooks", cluster=self.cluster, **{**given, **options}
        )

    def made(self) -> set[str]:
        """Paths of all constructs."""
        return {each.node.path for each in self.app.node.find_all()}

    def resources(self, kind: str) -> list[dict[str, Any]]:
        """Properties of the resources of a type."""
        template = self.app.synth().get_stack_by_name("Stack").template
        found = template["Resources"].values()
        return [each.get("Properties", {}) for each in found if each["Type"] == kind]


@dataclass(frozen=True, kw_only=True)
class Notebooks:
    """The app as deployed, and its cloud assembly."""

    app: cdk.App
    folder: Path
    account: Account
    templates: Mapping[str, Mapping[str, Any]]

    def resources(self, stack: str, kind: str) -> list[Mapping[str, Any]]:
        """Properties of a stack's resources of a type."""
        found = self.templates[stack]["Resources"].values()
        return [each.get("Properties", {}) for each in found if each["Type"] == kind]


@cache
def notebooks() -> Notebooks:
    """Synthesize once for all tests."""
    app = cdk.App(analytics_reporting=False)
    env = cdk.Environment(account="111122223333", region="eu-west-1")
    base = cdk.Stack(app, "Base", env=env)
    cluster, network = new_cluster(base), new_network(base)
    _iam(app, env, cluster, network)
    _saml(app, env, cluster, network)
    _center(app, env, cluster, network)
    assembly = app.synth()
    templates = {each.stack_name: json.loads(json.dumps(each.template)) for each in assembly.stacks}
    return Notebooks(
        app=app,
        folder=Path(assembly.directory),
        account=Account(templates),
        templates=templates,
    )


def _iam(
    app: cdk.App, env: cdk.Environment, cluster: ImportedEmrEksCluster, network: StudioNetwork
) -> None:
    stack = cdk.Stack(app, "Iam", env=env)
    platform = NotebookPlatform(
        stack, "Notebooks", cluster=cluster, studio_name="research", network=network
    )
    users: Sequence[NotebookUser] = (
        NotebookUser(identity_name="ann", endpoints=(own("ann"), SHARED)),
        NotebookUser(identity_name="bob", endpoints=(own("bob"), "team")),
        NotebookUser(identity_name="cat", endpoints=(own("cat"),), collaboration=True),
        NotebookUser(
            identity_name="analysts", identity_type=IdentityType.GROUP, endpoints=("team",)
        ),
        NotebookUser(
            identity_name="Partner",
            identity_type=IdentityType.ROLE,
            endpoints=(NotebookEndpoint(name="partner", namespace="partner"),),
        ),
    )
    platform.add_users(users)


def _saml(
    app: cdk.App, env: cdk.Environment, cluster: ImportedEmrEksCluster, network: StudioNetwork
) -> None:
    stack = cdk.Stack(app, "Saml", env=env)
    auth = SamlAuth(provider_arn=PROVIDER, idp_auth_url="https://idp.example.com/sso")
    roles = (
        ExecutionRoleSpec(name="saml-readers", uses=(RoleUse.ENDPOINTS,)),
        ExecutionRoleSpec(
            name="saml-writers",
            uses=(RoleUse.ENDPOINTS,),
            permissions=lake_formation_access("sales", tables=["orders"]),
        ),
    )
    platform = NotebookPlatform(
        stack,
        "Notebooks",
        cluster=cluster,
        studio=StudioSpec(name="federated", auth=auth, git=True),
        tenant=Tenant(name="federated", execution_roles=roles, workloads=("notebook",)),
        network=network,
    )
    platform.add_user(
        NotebookUser(
            identity_name="NotebookReaders",
            endpoints=(NotebookEndpoint(name="readers", role="saml-readers"),),
            session_duration=timedelta(hours=8),
            permissions_boundary_arn=BOUNDARY,
        )
    )
    platform.add_user(
        NotebookUser(
            identity_name="NotebookWriters",
            endpoints=(NotebookEndpoint(name="writers", role="saml-writers"),),
        )
    )


def _center(
    app: cdk.App, env: cdk.Environment, cluster: ImportedEmrEksCluster, network: StudioNetwork
) -> None:
    stack = cdk.Stack(app, "Center", env=env)
    platform = NotebookPlatform(
        stack,
        "Notebooks",
        cluster=cluster,
        studio_name="center",
        auth_mode=IdentityCenterAuth(instance_arn=INSTANCE),
        network=network,
    )
    platform.add_users(
        [
            NotebookUser(
                identity_name="dan@example.com",
                identity_type=IdentityType.USER,
                endpoints=(own("dan"),),
            ),
            NotebookUser(
                identity_name="Data Scientists",
                identity_type=IdentityType.GROUP,
                endpoints=(NotebookEndpoint(name="science"),),
            ),
        ]
    )
