"""Secrets of tenants: IAM's decisions, and no secret value in any template."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec
from cdk_emr_eks.model.access.tenant_secrets import TenantSecret, is_secret_name
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.tenants.tenant import EmrEksTenant
from tests.conftest import APPS, Assemblies
from tests.static.iam import check_iam
from tests.static.nag import nag_report
from tests.synth.iam_decisions import Account, Request, agreed
from tests.synth.notebooks.connect_app import synthesized as connect_app
from tests.synth.tenants.tenancy_app import new_app, new_context

KEY = "arn:aws:kms:eu-west-1:111122223333:key/12345678-1234-1234-1234-123456789012"
BASE = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"
WHERE = cdk.Environment(account="111122223333", region="eu-west-1")


@cache
def made() -> tuple[cdk.App, Mapping[str, Mapping[str, Any]]]:
    app = new_app()
    context = new_context(cdk.Stack(app, "Platform", env=WHERE))
    for name in ("red", "redder"):
        stack = cdk.Stack(app, name, env=WHERE)
        roles = tuple(ExecutionRoleSpec(name=f"{name}-{use}") for use in ("etl", "ad-hoc"))
        secrets = (
            TenantSecret(name=f"{name}/api"),
            TenantSecret(
                name=f"{name}/db",
                kms_key_arn=KEY.replace("aws", cdk.Aws.PARTITION, 1),
                roles=(f"{name}-etl",),
            ),
        )
        tenant = Tenant(name=name, execution_roles=roles, secrets=secrets)
        EmrEksTenant(stack, "Tenant", context=context, tenant=tenant)
    return app, {stack.stack_name: stack.template for stack in app.synth().stacks}


def statements(tenant: str, role: str) -> list[Mapping[str, Any]]:
    account = Account(made()[1])
    ((_, id, _),) = [
        each for each in account.of_type("AWS::IAM::Role") if each[2].get("RoleName") == role
    ]
    return account.identity(tenant, id)


def read(name: str) -> Request:
    return Request(action="secretsmanager:GetSecretValue", resource=f"{BASE}{name}-AbC123")


def decrypt(name: str) -> Request:
    context = {"kms:EncryptionContext:SecretARN": f"{BASE}{name}-AbC123"}
    return Request(action="kms:Decrypt", resource=KEY, keys=context)


@pytest.mark.parametrize(("tenant", "other"), [("red", "redder"), ("redder", "red")])
def test_roles_read_the_secrets_of_their_tenant_that_are_for_them(tenant: str, other: str) -> None:
    etl, ad_hoc = (statements(tenant, f"{tenant}-{use}") for use in ("etl", "ad-hoc"))
    for allowed in (read(f"{tenant}/api"), read(f"{tenant}/db"), decrypt(f"{tenant}/db")):
        assert agreed(etl, allowed), allowed
    assert agreed(ad_hoc, read(f"{tenant}/api"))
    assert not agreed(ad_hoc, read(f"{tenant}/db"))
    for found in (etl, ad_hoc):
        for name in ("api", "db"):
            assert not agreed(found, read(f"{other}/{name}"))
            assert not agreed(found, decrypt(f"{other}/{name}"))
        # The same key without a secret, as for data of others.
        assert not agreed(found, Request(action="kms:Decrypt", resource=KEY))
        for verb in ("PutSecretValue", "ListSecrets", "DeleteSecret", "PutResourcePolicy"):
            action = f"secretsmanager:{verb}"
            assert not agreed(found, Request(action=action, resource=f"{BASE}{tenant}/api-AbC123"))


def test_checkers_find_nothing() -> None:
    app, templates = made()
    for tenant in ("red", "redder"):
        assert check_iam(templates[tenant], {}).problems == ()
    report = nag_report(app)
    # The platform's plain cluster is the test's own.
    assert [each for each in report.findings if not each.startswith("Platform")] == []


def test_a_secret_is_one_tenants() -> None:
    stack = cdk.Stack(new_app(), "Platform")
    context = new_context(stack)
    secret = (TenantSecret(name="shared/db"),)
    EmrEksTenant(stack, "A", context=context, tenant=Tenant(name="a", secrets=secret))
    with pytest.raises(ConfigError, match=r"secrets must be secrets of this tenant only; .*/A'"):
        EmrEksTenant(stack, "B", context=context, tenant=Tenant(name="b", secrets=secret))


# Names by which CloudFormation takes the ARN of a secret, and the ARN of a Lambda function.
HARMLESS = frozenset({"PublicKeySecretArn", "PrivateKeySecretArn", "ServiceToken"})


def secret_paths(value: object, path: str = "") -> Iterator[str]:
    """Paths of literal values whose key says that they are secret, through JSON in texts."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            literal = isinstance(item, str | int) and not isinstance(item, bool)
            if literal and is_secret_name(str(key)) and key not in HARMLESS:
                yield f"{path}/{key}"
            yield from secret_paths(item, f"{path}/{key}")
        if {"name", "value"} <= set(value) and is_secret_name(str(value["name"])):
            yield f"{path}/{value['name']}"
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from secret_paths(item, f"{path}/{number}")
    elif isinstance(value, str) and value[:1] in ("{", "["):
        try:
            yield from secret_paths(json.loads(value), path)
        except json.JSONDecodeError:
            return


FORMS = (
    "AKIA",
    "ASIA",
    "-----BEGIN",
    "{{resolve:secretsmanager",
    "{{resolve:ssm-secure",
    "eyJhbGciOi",
)


def secrets_of(folder: Path) -> list[str]:
    """What looks like a secret in the templates and pod templates of a cloud assembly."""
    found: list[str] = []
    for path in (*folder.rglob("*.template.json"), *folder.rglob("pod-templates/**/*.yaml")):
        text = path.read_text(encoding="utf-8")
        found += [f"{path.name}: {form}" for form in FORMS if form in text]
        if path.suffix == ".json":
            found += [f"{path.name}: {each}" for each in secret_paths(json.loads(text))]
    return found


@pytest.mark.parametrize("name", [name for name in APPS if name != "hundred_tenants"])
def test_nothing_secret_is_in_templates_or_pod_templates(name: str, assemblies: Assemblies) -> None:
    assert secrets_of(assemblies(name).folder) == []


def test_nothing_secret_is_in_what_spark_connect_and_livy_make() -> None:
    assert secrets_of(connect_app().outdir) == []


def test_the_search_finds_secrets(tmp_path: Path) -> None:
    inner = json.dumps([{"properties": {"spark.app.password": "x"}}])
    outer = {"A": {"Properties": {"Config": inner, "Env": [{"name": "API_KEY", "value": "x"}]}}}
    (tmp_path / "S.template.json").write_text(json.dumps({"Resources": outer, "Id": "AKIAX"}))
    found = " ".join(secrets_of(tmp_path))
    for part in ("spark.app.password", "API_KEY", "AKIA"):
        assert part in found
