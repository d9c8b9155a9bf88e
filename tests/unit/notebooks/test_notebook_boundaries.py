"""Names, ids, URLs and releases of notebooks: what is just allowed, and what is just refused."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from typing import Final

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.admission.admission import Admission, AdmissionMode
from cdk_emr_eks.model.notebooks.livy import (
    LivySpec,
    chart_version,
    server_image,
)
from cdk_emr_eks.model.notebooks.managed_endpoint import KernelImages, ManagedEndpointSpec
from cdk_emr_eks.model.notebooks.notebook_endpoint import NotebookEndpoint
from cdk_emr_eks.model.notebooks.notebook_user import (
    IdentityType,
    NotebookUser,
    check_references,
)
from cdk_emr_eks.model.notebooks.spark_connect import SparkConnectSpec
from cdk_emr_eks.model.notebooks.studio import (
    MAX_SUBNETS,
    AuthMode,
    GitAccess,
    GitSecrets,
    IamAuth,
    IdentityCenterAuth,
    SamlAuth,
    StudioSpec,
    UserAssignment,
    WorkspaceStorage,
    is_prefix_list,
    studio_auth,
)
from tests.refusals import Boundary, Build, allowed_texts, refused, refused_fields, refused_texts

TOKEN: Final = "${Token[TOKEN.1]}"
PROVIDER: Final = "arn:aws:iam::111122223333:saml-provider/"
CENTER: Final = "arn:aws:sso:::instance/"
CERTIFICATE: Final = "arn:aws:acm:eu-west-1:111122223333:certificate/"


def saml(text: str) -> object:
    return SamlAuth(provider_arn=f"{PROVIDER}idp", idp_auth_url=text)


def livy(cidr: str) -> object:
    return LivySpec(
        upload_uri="s3://b/livy", client_cidrs=(cidr,), certificate_arn=f"{CERTIFICATE}1"
    )


# Field, how a value is built, texts that are allowed, texts that are refused.
TEXTS: Final[tuple[Boundary, ...]] = (
    (
        "name",
        lambda text: ManagedEndpointSpec(name=text),
        ("a", "A-b_9", "9", "a" * 64),
        ("", "-a", "_a", "a.b", "a" * 65),
    ),
    (
        "name",
        lambda text: SparkConnectSpec(name=text),
        ("a", "a" * 64),
        ("", "-a", "a" * 65),
    ),
    ("workload", lambda text: ManagedEndpointSpec(name="a", workload=text), ("x",), ("",)),
    (
        "release_label",
        lambda text: ManagedEndpointSpec(name="a", release_label=text),
        ("emr-6.11.0-latest", "emr-spark-8.0.0-latest"),
        ("emr-6.10.0-latest", "emr-6.11.0", ""),
    ),
    (
        "release_label",
        lambda text: LivySpec(upload_uri="s3://b/l", release_label=text),
        ("emr-7.1.0-latest", "emr-7.14.0-20260812"),
        ("emr-7.0.0-latest", "emr-spark-8.1.0-latest"),
    ),
    (
        "release_label",
        lambda text: SparkConnectSpec(name="a", release_label=text),
        ("emr-7.14.0-latest", "emr-spark-8.1.0-latest"),
        ("emr-7.13.0-latest", "emr-spark-8.0.0-latest"),
    ),
    (
        "notebook_security_group_id",
        lambda text: ManagedEndpointSpec(name="a", notebook_security_group_id=text),
        ("sg-0123abcd", "sg-0123456789abcdef0", TOKEN),
        ("", "sg-0123abc", "sg-0123abcd9", "sg-0123456789abcdef", "sg-0123ABCD"),
    ),
    (
        "name",
        lambda text: StudioSpec(name=text),
        ("a", "A-b_9", "a" * 256),
        ("", "a b", "a.b", "a" * 257),
    ),
    (
        "tags",
        lambda text: StudioSpec(name="a", tags={text: "x"}),
        ("a", "A+-=._:/", "a" * 128),
        ("", "aws:x", "a b", "a" * 129),
    ),
    (
        "tags",
        lambda text: StudioSpec(name="a", tags={"x": text}),
        ("a", "A b+-=._:/", "a" * 256),
        ("", "a*b?", "a" * 257),
    ),
    (
        "provider_arn",
        lambda text: SamlAuth(provider_arn=text),
        (f"{PROVIDER}a", f"{PROVIDER}{'a' * 128}", TOKEN),
        (PROVIDER, f"{PROVIDER}{'a' * 129}", f"{PROVIDER}a/b", "arn:aws:iam::1:saml-provider/a"),
    ),
    (
        "idp_auth_url",
        saml,
        (
            "https://idp.example.com",
            "https://idp.example.com:8443/a?b=c#d",
            "https://idp.example.com/".ljust(4096, "a"),
            TOKEN,
        ),
        (
            "",
            "http://idp.example.com",
            "https://",
            "https://-a.b",
            "https://idp.example.com/".ljust(4097, "a"),
        ),
    ),
    (
        "instance_arn",
        lambda text: IdentityCenterAuth(instance_arn=text),
        (f"{CENTER}ssoins-1234567890abcdef", f"{CENTER}ins-1234567890abcdef", TOKEN),
        ("", f"{CENTER}ssoins-1234567890abcde", f"{CENTER}ssoins-1234567890abcdef0"),
    ),
    (
        "destinations",
        lambda text: GitAccess(destinations=(text,)),
        ("10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32", "pl-01234567", "pl-" + "0" * 17, TOKEN),
        ("", "10.0.0.1", "10.0.0.1/8", "pl-0123456", "pl-" + "0" * 18, "pl-0123456g"),
    ),
    (
        "prefix",
        lambda text: WorkspaceStorage(prefix=text),
        ("a", "a/b", "A_b.9-c"),
        ("", "/a", "a/", "a//b", "a b"),
    ),
    (
        "permissions_boundary_arn",
        lambda text: NotebookUser(
            identity_name="a", endpoints=("e",), permissions_boundary_arn=text
        ),
        ("arn:aws:iam::111122223333:policy/b", TOKEN),
        ("", "boundary"),
    ),
    (
        "identity_name",
        lambda text: NotebookUser(identity_name=text, endpoints=("e",)),
        ("a", "Données & Co"),
        (" ", TOKEN),
    ),
    (
        "namespace",
        lambda text: NotebookEndpoint(name="a", namespace=text),
        ("a", "a" * 63),
        ("", "A", "a" * 64, "default", "spark-connect-router"),
    ),
    (
        "role",
        lambda text: NotebookEndpoint(name="a", role=text),
        ("a", "a" * 64),
        ("", "a b", "a" * 65),
    ),
    (
        "upload_uri",
        lambda text: LivySpec(upload_uri=text),
        ("s3://b/l", "s3://b/a/l/", f"s3://{TOKEN}/l"),
        ("", "s3://b", "s3://b/", "s3://b//", "s3://b/l?", "s3://b/$l"),
    ),
    (
        "client_cidrs",
        livy,
        ("10.0.0.0/8", "10.1.0.0/16", "10.0.0.1/32"),
        ("", "10.0.0.0/7", "10.0.0.1/8", "2001:db8::/32", TOKEN),
    ),
    (
        "certificate_arn",
        lambda text: LivySpec(
            upload_uri="s3://b/l", client_cidrs=("10.0.0.0/8",), certificate_arn=text
        ),
        (f"{CERTIFICATE}1", f"arn:aws-cn{CERTIFICATE[7:]}1", TOKEN),
        (CERTIFICATE, "1", "arn:aws:iam::111122223333:certificate/1", ""),
    ),
    (
        "namespace",
        lambda text: LivySpec(upload_uri="s3://b/l", namespace=text),
        ("a", "a" * 63),
        ("", "A", "a" * 64, "kube-system"),
    ),
    ("python", lambda text: KernelImages(python=text), (TOKEN,), ("", "a:1")),
    ("spark", lambda text: KernelImages(spark=text), (TOKEN,), ("", "a:1")),
    (
        "image",
        lambda text: SparkConnectSpec(name="a", image=text),
        (TOKEN,),
        ("", "a:1"),
    ),
)


@allowed_texts(TEXTS)
def test_text_within_the_rules_is_allowed(build: Build, text: str) -> None:
    build(text)


@refused_texts(TEXTS)
def test_text_outside_the_rules_is_refused_by_its_field(
    field: str, build: Build, text: str
) -> None:
    assert refused_fields(partial(build, text)) == {field}


def test_defaults_of_notebooks() -> None:
    assert MAX_SUBNETS == 5
    endpoint, user = (
        ManagedEndpointSpec(name="a"),
        NotebookUser(identity_name="a", endpoints=("e",)),
    )
    assert (endpoint.workload, endpoint.release_label) == ("notebook", None)
    assert endpoint.kernel_idle_timeout == timedelta(hours=1)
    assert endpoint.kernel_check_interval == timedelta(minutes=5)
    assert (user.collaboration, user.session_duration) == (False, None)
    connect, livy = SparkConnectSpec(name="a"), LivySpec(upload_uri="s3://b/l")
    assert (connect.workload, connect.idle_minutes) == ("notebook", 60)
    assert (livy.workload, livy.session_idle_timeout) == ("notebook", timedelta(hours=1))
    assert (livy.cpu.kubernetes, livy.memory.kubernetes) == ("1", "4Gi")
    studio = StudioSpec(name="a")
    assert (studio.collaboration, studio.emr_on_eks, studio.git) == (True, True, False)
    assert studio.rules_per_security_group == 60
    storage = WorkspaceStorage()
    assert (storage.prefix, storage.keep, storage.keep_old_versions) == (
        None,
        True,
        timedelta(days=30),
    )
    assert GitAccess().secrets is GitSecrets.USER
    assert IdentityCenterAuth(instance_arn=TOKEN).user_assignment is UserAssignment.REQUIRED
    assert SamlAuth(provider_arn=TOKEN).relay_state_parameter == "RelayState"


def test_the_sign_in_of_each_value_has_its_mode() -> None:
    values = (IamAuth(), SamlAuth(provider_arn=TOKEN), IdentityCenterAuth(instance_arn=TOKEN))
    assert [each.mode for each in values] == [AuthMode.IAM, AuthMode.IAM_FEDERATED, AuthMode.SSO]
    assert [each.value for each in AuthMode] == ["IAM", "IAM_FEDERATED", "SSO"]
    assert [each.value for each in UserAssignment] == ["REQUIRED", "OPTIONAL"]
    default = studio_auth("IAM_FEDERATED", idp_arn=f"{PROVIDER}a")
    assert default == SamlAuth(provider_arn=f"{PROVIDER}a")
    assert studio_auth("SSO", instance_arn=TOKEN) == IdentityCenterAuth(instance_arn=TOKEN)


def test_a_user_of_identity_center_without_a_type_is_refused() -> None:
    user = NotebookUser(identity_name="ann", endpoints=("a",))
    assert refused(lambda: user.kind(AuthMode.SSO)) == (
        "Notebook user 'ann': identity_type must be IdentityType.USER or IdentityType.GROUP with "
        "auth_mode 'SSO'."
    )
    role = NotebookUser(identity_name="ann", endpoints=("a",), identity_type=IdentityType.ROLE)
    assert refused(lambda: role.kind(AuthMode.SSO)) == (
        "Notebook user 'ann': identity_type must be IdentityType.USER or IdentityType.GROUP with "
        "auth_mode 'SSO', got 'ROLE'."
    )


def test_options_of_federated_roles_are_refused_with_their_value() -> None:
    user = NotebookUser(identity_name="ann", endpoints=("a",), session_duration=timedelta(hours=2))
    assert refused(lambda: user.kind(AuthMode.IAM)) == (
        "Notebook user 'ann': session_duration is for roles that are created for an identity "
        "provider, and this is an IAM user, got '2:00:00'."
    )


def test_the_error_lists_the_existing_endpoints() -> None:
    user = NotebookUser(identity_name="ann", endpoints=("a",))
    assert refused(lambda: check_references("P", {}, [user])) == (
        "P: endpoints of user 'ann' must be endpoints of the platform (none so far), got 'a'; "
        "declare it with NotebookEndpoint(name=...)."
    )


def test_prefix_lists_are_no_blocks() -> None:
    assert is_prefix_list("pl-0123abcd")
    assert is_prefix_list(TOKEN)
    assert not is_prefix_list("10.0.0.0/8")


def test_images_of_kernels_must_be_admitted() -> None:
    uri = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/a@sha256:" + "0" * 64
    emr = "755674844232.dkr.ecr.us-east-1.amazonaws.com/notebook-spark@sha256:" + "0" * 64
    endpoint = ManagedEndpointSpec(name="a", kernel_images=KernelImages(python=uri, spark=emr))
    (problem,) = endpoint.image_problems(Admission())
    assert (problem.field, problem.got) == ("kernel_images", uri)
    registry = Admission(registries=("111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/",))
    assert endpoint.image_problems(registry) == ()
    assert endpoint.image_problems(Admission(mode=AdmissionMode.AUDIT)) == ()
    assert ManagedEndpointSpec(name="a").image_problems(Admission()) == ()


@pytest.mark.parametrize(("count", "allowed"), [(0, False), (1, True), (100, True), (101, False)])
def test_a_classification_has_1_to_100_properties(count: int, allowed: bool) -> None:
    properties = {f"key{number}": "x" for number in range(count)}
    if allowed:
        ManagedEndpointSpec(name="a", configurations={"core-site": properties})
        return
    with pytest.raises(ConfigError, match="must have 1 to 100 properties"):
        ManagedEndpointSpec(name="a", configurations={"core-site": properties})


@pytest.mark.parametrize(("key", "text"), [("k" * 1024, "x"), ("k", "x" * 1024)])
def test_a_property_has_at_most_1024_characters(key: str, text: str) -> None:
    ManagedEndpointSpec(name="a", configurations={"core-site": {key: text}})
    for longer in ({key + "k": text}, {key: text + "x"}):
        if max(len(part) for pair in longer.items() for part in pair) <= 1024:
            continue
        with pytest.raises(ConfigError, match="at most 1024 characters"):
            ManagedEndpointSpec(name="a", configurations={"core-site": longer})


def test_derived_classifications_name_their_alternative() -> None:
    alternatives = {
        "spark-defaults": "use spark_conf",
        "jeg-config": "use kernel_idle_timeout and kernel_check_interval",
        "endpoint-configuration": "use notebook_security_group_id",
        "jupyter-kernel-overrides": "use kernel_images",
        "emr-job-submitter": "an endpoint has no job submitter",
        "emr-containers-defaults": "it is for job runs only",
    }
    for name, alternative in alternatives.items():
        given = {name: {"a": "b"}}
        assert refused(lambda c=given: ManagedEndpointSpec(name="a", configurations=c)) == (  # type: ignore[misc]
            f"Managed endpoint 'a': configurations must not have, got {name!r}; {alternative}."
        )


def test_livys_chart_and_image_follow_the_release() -> None:
    assert chart_version("emr-7.1.0-latest") == "7.1.0"
    assert server_image("emr-7.1.0-latest") == "livy/emr-7.1.0:latest"
    spec = LivySpec(upload_uri="s3://b/a/l/")
    assert spec.upload_location == ("b", "a/l")
    assert spec.resolved_namespace("Livy", "data") == "data-livy"
    own = LivySpec(upload_uri="s3://b/l", namespace="gateway")
    assert own.resolved_namespace("Livy", "data") == "gateway"


@pytest.mark.parametrize("length", [65, 66, 300])
def test_the_proposal_for_a_long_name_of_an_endpoint_can_be_used(length: int) -> None:
    text = refused(lambda: ManagedEndpointSpec(name="a" * length))
    (proposal,) = re.findall(r"try '(\w+)'", text)
    assert ManagedEndpointSpec(name=proposal).name == "a" * 64


@pytest.mark.parametrize("length", [257, 258, 300])
def test_the_proposal_for_a_long_name_of_a_studio_can_be_used(length: int) -> None:
    text = refused(lambda: StudioSpec(name="a" * length))
    (proposal,) = re.findall(r"try '(\w+)'", text)
    assert StudioSpec(name=proposal).name == "a" * 256
