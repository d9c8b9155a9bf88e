"""A real control plane: scheduling, authorization, restarts, and a clean end."""

from __future__ import annotations

import base64
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from kubernetes import client, config

from cdk_emr_eks import versions
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.simulation.programs.binaries import CACHE_VARIABLE, default_cache
from tests.simulation.waiting import until

pytest_plugins = ["pytester"]

SOURCES: Final = Path(__file__).parents[2] / "constructs"
# Before pytester changes HOME.
CACHE: Final = default_cache()
NODE: Final = "node-of-test-plane"

OWNER: Final = """
import sys, time
from pathlib import Path
from cdk_emr_eks.simulation.programs.binaries import binaries
from cdk_emr_eks.simulation.control_plane.plane import Plane
with Plane(binaries(), directory=Path(sys.argv[1])) as plane:
    print(*(process.pid for process in plane._processes.values()), flush=True)
    time.sleep(600)
"""

USER_FILE: Final = """
from kubernetes import client
from cdk_emr_eks.testing import plane

def test_platform(plane):
    assert client.CoreV1Api(plane.client()).list_node().items == []
"""


def pod(name: str, cpu: str = "1") -> dict[str, Any]:
    container = {"name": "main", "image": "none", "resources": {"requests": {"cpu": cpu}}}
    spec = {"containers": [container], "nodeSelector": {"kubernetes.io/hostname": NODE}}
    return {"metadata": {"name": name}, "spec": spec}


@pytest.fixture
def core(plane: Plane) -> Iterator[Any]:
    """The API as administrator, with one node of KWOK."""
    with plane.client() as api:
        core: Any = client.CoreV1Api(api)
        size = {"cpu": "4", "memory": "8Gi", "pods": "20"}
        labels = {"kwok.x-k8s.io/node": "fake", "kubernetes.io/hostname": NODE}
        node = {
            "metadata": {"name": NODE, "labels": labels},
            "status": {"allocatable": size, "capacity": size},
        }
        core.create_node(node)
        yield core
        core.delete_node(NODE)


@pytest.fixture
def namespace(core: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    name = request.node.name.replace("_", "-").removeprefix("test-")[:60].rstrip("-")
    core.create_namespace({"metadata": {"name": name}})
    # The controller manager creates it, and pods need it.
    until(lambda: core.list_namespaced_service_account(name).items)
    yield name
    # Before their node, since KWOK ends pods only on its nodes.
    core.delete_collection_namespaced_pod(name, grace_period_seconds=0)
    core.delete_namespace(name)


def phase(core: Any, namespace: str, name: str) -> str:
    return str(core.read_namespaced_pod(name, namespace).status.phase)


def await_running(core: Any, namespace: str, name: str) -> None:
    until(lambda: phase(core, namespace, name), lambda found: found == "Running")


def test_a_pod_is_scheduled_and_runs(core: Any, namespace: str) -> None:
    core.create_namespaced_pod(namespace, pod("small"))
    core.create_namespaced_pod(namespace, pod("large", cpu="5"))
    await_running(core, namespace, "small")
    assert core.read_namespaced_pod("small", namespace).spec.node_name == NODE

    def said() -> str:
        conditions = core.read_namespaced_pod("large", namespace).status.conditions or ()
        return "".join(each.message or "" for each in conditions)

    until(said, lambda text: "Insufficient cpu" in text)


def test_kubernetes_has_the_pinned_version(plane: Plane) -> None:
    with plane.client() as api:
        found: Any = client.VersionApi(api).get_code()
    assert found.git_version == versions.SIMULATED_KUBERNETES
    assert f"{found.major}.{found.minor}" == versions.KUBERNETES


def test_an_impersonated_user_has_only_its_rights(plane: Plane, core: Any, namespace: str) -> None:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    access: Any = client.RbacAuthorizationV1Api(core.api_client)
    access.create_namespaced_role(namespace, {"metadata": {"name": "reader"}, "rules": rules})
    subjects = [
        {"kind": "ServiceAccount", "name": "driver", "namespace": namespace},
        {"kind": "Group", "name": "readers", "apiGroup": "rbac.authorization.k8s.io"},
    ]
    role = {"kind": "Role", "name": "reader", "apiGroup": "rbac.authorization.k8s.io"}
    binding = {"metadata": {"name": "readers"}, "subjects": subjects, "roleRef": role}
    access.create_namespaced_role_binding(namespace, binding)
    account = f"system:serviceaccount:{namespace}:driver"

    def may_list(user: str, *groups: str, where: str = namespace) -> bool:
        with plane.client(as_user=user, groups=groups) as api:
            try:
                client.CoreV1Api(api).list_namespaced_pod(where)
            except client.ApiException as error:
                if error.status != 403:
                    raise
                return False
        return True

    assert may_list(account)
    assert not may_list(account, where="default")
    assert not may_list("eve")
    assert not may_list("eve", "writers")
    assert may_list("eve", "writers", "readers"), "each group has a separate header"


def test_groups_need_a_user(plane: Plane) -> None:
    with pytest.raises(ValueError, match="as_user"):
        plane.client(groups=["readers"])


def test_a_token_of_a_service_account_is_accepted(plane: Plane, core: Any, namespace: str) -> None:
    request = {"spec": {"audiences": ["https://kubernetes.default.svc"]}}
    made = core.create_namespaced_service_account_token("default", namespace, request)
    authentication: Any = client.AuthenticationV1Api(core.api_client)
    review = authentication.create_token_review({"spec": {"token": made.status.token}})
    assert review.status.user.username == f"system:serviceaccount:{namespace}:default"


def config_maps(core: Any, namespace: str) -> set[str]:
    return {each.metadata.name for each in core.list_namespaced_config_map(namespace).items}


def test_deleting_a_namespace_deletes_its_objects(core: Any, namespace: str) -> None:
    core.create_namespaced_config_map(namespace, {"metadata": {"name": "a"}, "data": {"a": "b"}})
    assert "a" in config_maps(core, namespace)
    core.delete_namespace(namespace)

    def names() -> set[str]:
        return {each.metadata.name for each in core.list_namespace().items}

    until(names, lambda found: namespace not in found)
    # The fixture deletes it.
    core.create_namespace({"metadata": {"name": namespace}})
    assert "a" not in config_maps(core, namespace)


def test_the_scheduler_restarts(plane: Plane, core: Any, namespace: str) -> None:
    plane.kill("kube-scheduler")
    core.create_namespaced_pod(namespace, pod("waits"))
    time.sleep(0.5)
    assert phase(core, namespace, "waits") == "Pending"
    plane.restart("kube-scheduler")
    await_running(core, namespace, "waits")


def test_the_api_server_restarts(plane: Plane, core: Any, namespace: str) -> None:
    core.create_namespaced_pod(namespace, pod("before"))
    plane.restart("kube-apiserver")
    plane.check()
    core.create_namespaced_pod(namespace, pod("after"))
    # The scheduler, the controllers and KWOK reconnect.
    await_running(core, namespace, "before")
    await_running(core, namespace, "after")


def test_each_process_has_a_log_and_a_peak(plane: Plane) -> None:
    names = {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"}
    assert {name for name in names if plane.logs(name).stat().st_size} == names
    peaks = plane.peak_memory()
    if Path("/proc/self/status").exists():
        # Earlier tests may have started Karpenter.
        assert {name for name, peak in peaks.items() if peak > 10 << 20} >= names


def test_the_kubeconfig_trusts_only_the_control_plane(plane: Plane) -> None:
    api: Any = config.new_client_from_config(str(plane.kubeconfig))  # type: ignore[no-untyped-call]
    api.configuration.proxy = None
    with api:
        authentication: Any = client.AuthenticationV1Api(api)
        found = authentication.create_self_subject_review({})
    assert "system:masters" in found.status.user_info.groups
    written = yaml.safe_load(plane.kubeconfig.read_text())
    authority = Path(written["clusters"][0]["cluster"]["certificate-authority"])
    assert base64.b64decode(plane.ca_bundle) == authority.read_bytes()
    with pytest.raises(urllib.error.URLError) as caught:
        urllib.request.urlopen(f"{plane.server}/healthz", timeout=5)
    assert isinstance(caught.value.reason, ssl.SSLCertVerificationError)


def test_only_the_owner_can_read_credentials(plane: Plane) -> None:
    folder = plane.kubeconfig.parent
    secret = [plane.kubeconfig, *(folder / "credentials").iterdir()]
    assert len(secret) == 6
    assert {path.stat().st_mode & 0o077 for path in secret} == {0}


def test_no_process_survives_a_kill(plane: Plane, tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    pids = [int(pid) for pid in owner.stdout.readline().split()]
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    assert len(pids) == 5
    until(lambda: [pid for pid in pids if _runs(pid)], lambda left: not left)


def test_a_failed_start_reports_the_log_and_leaves_no_process(plane: Plane, tmp_path: Path) -> None:
    broken = Plane(plane.binaries, directory=tmp_path)
    (tmp_path / "etcd").write_text("no folder")
    with pytest.raises(RuntimeError, match=r"^etcd ended with code 1"), broken:
        pytest.fail("it cannot have started")
    assert not any(_runs(process.pid) for process in broken._processes.values())


def test_the_temporary_folder_is_deleted(plane: Plane) -> None:
    made = Plane(plane.binaries)
    assert made.directory.is_dir()
    made.stop()
    assert not made.directory.exists()


def test_the_fixture_works_for_users(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, plane: Plane
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(CACHE))
    pytester.makepyfile(USER_FILE)
    run = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-rs")
    run.assert_outcomes(passed=1)


def test_without_go_the_fixture_skips_with_the_reason(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    pytester.makepyfile(
        f"import importlib.util\nimportlib.util.find_spec = lambda name: None\n{USER_FILE}"
    )
    run = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-rs")
    run.assert_outcomes(skipped=1)
    run.stdout.re_match_lines([r".*no simulation: Go 1\.\d+.* needed.*cdk-emr-eks\[simulation\]"])


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
