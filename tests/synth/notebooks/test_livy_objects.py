"""Service accounts, permissions and the load balancer of a Livy server."""

from __future__ import annotations

from typing import Any

from cdk_emr_eks.notebooks.livy_objects import LivyChart

CERTIFICATE = "arn:aws:acm:eu-west-1:111122223333:certificate/1234"


def rendered(*cidrs: str, irsa: str | None = None) -> list[dict[str, Any]]:
    chart = LivyChart(
        server_namespace="data-livy",
        namespace="data",
        session_account="emr-container-sa-spark-livy",
        session_role_arn=irsa,
        client_cidrs=cidrs,
        certificate_arn=CERTIFICATE if cidrs else None,
    )
    return list(chart.to_json())


def test_permissions_are_in_the_tenants_namespace_and_never_read_secrets_or_enter_pods() -> None:
    roles = {each["metadata"]["name"]: each for each in rendered() if each["kind"] == "Role"}
    assert set(roles) == {"livy-server", "livy-session"}
    for role in roles.values():
        assert role["metadata"]["namespace"] == "data"
        for rule in role["rules"]:
            assert rule["apiGroups"] == [""]
            assert not {"pods/exec", "pods/portforward", "*"} & {*rule["resources"], *rule["verbs"]}
            if "secrets" in rule["resources"]:
                assert not {"get", "list"} & set(rule["verbs"])
            if "serviceaccounts" in rule["resources"]:
                assert set(rule["verbs"]) == {"get", "list", "watch"}
    session = {name for rule in roles["livy-session"]["rules"] for name in rule["resources"]}
    assert session == {"services", "configmaps", "pods", "persistentvolumeclaims", "pods/log"}


def test_each_account_has_its_own_permissions() -> None:
    bindings = [each for each in rendered() if each["kind"] == "RoleBinding"]
    assert [
        (each["roleRef"]["name"], each["subjects"][0]["name"], each["subjects"][0]["namespace"])
        for each in bindings
    ] == [
        ("livy-server", "emr-containers-sa-livy", "data-livy"),
        ("livy-session", "emr-container-sa-spark-livy", "data"),
    ]


def test_every_object_has_the_label_of_its_manager() -> None:
    labels = [each["metadata"]["labels"] for each in rendered("10.0.0.0/8")]
    assert labels == [{"app.kubernetes.io/managed-by": "cdk-emr-eks"}] * 7


def test_clients_reach_one_port_by_an_internal_load_balancer_with_tls() -> None:
    assert "Service" not in [each["kind"] for each in rendered()]
    (service,) = (each for each in rendered("10.0.0.0/8") if each["kind"] == "Service")
    annotations = {
        key.rpartition("/")[2]: value for key, value in service["metadata"]["annotations"].items()
    }
    assert annotations["aws-load-balancer-scheme"] == "internal"
    assert annotations["aws-load-balancer-ssl-cert"] == CERTIFICATE
    assert annotations["aws-load-balancer-ssl-ports"] == "8998"
    assert annotations["aws-load-balancer-nlb-target-type"] == "instance"
    assert service["spec"] == {
        "type": "LoadBalancer",
        "loadBalancerClass": "service.k8s.aws/nlb",
        "loadBalancerSourceRanges": ["10.0.0.0/8"],
        # The client's address is kept, so that the network policy sees it.
        "externalTrafficPolicy": "Local",
        "externalIPs": [],
        "selector": {"app.kubernetes.io/instance": "livy"},
        "ports": [{"name": "https", "protocol": "TCP", "port": 8998, "targetPort": 8998}],
    }


def test_with_irsa_the_account_is_annotated_with_its_role() -> None:
    def annotations(objects: list[dict[str, Any]]) -> object:
        (account,) = (
            each
            for each in objects
            if each["kind"] == "ServiceAccount" and each["metadata"]["namespace"] == "data"
        )
        return account["metadata"].get("annotations")

    assert annotations(rendered()) is None
    assert annotations(rendered(irsa="arn")) == {"eks.amazonaws.com/role-arn": "arn"}
