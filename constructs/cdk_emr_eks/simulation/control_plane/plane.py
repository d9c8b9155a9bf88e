"""Run a real Kubernetes control plane on this machine; KWOK simulates nodes and pods.

etcd, kube-apiserver, kube-controller-manager, kube-scheduler and KWOK are child processes that
listen on free ports of the loopback interface. Karpenter starts once its chart is installed.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from kubernetes import client

from cdk_emr_eks.simulation.control_plane.credentials import make_credentials, write_kubeconfig
from cdk_emr_eks.simulation.control_plane.karpenter import (
    Fleet,
    KarpenterLaunch,
    karpenter_environment,
)
from cdk_emr_eks.simulation.control_plane.kube_client import answers, api_client
from cdk_emr_eks.simulation.control_plane.kube_types import SIMULATED_NODES
from cdk_emr_eks.simulation.control_plane.process import (
    Process,
    Supervisor,
    await_ready,
    free_ports,
)
from cdk_emr_eks.simulation.programs.binaries import Binaries

_ISSUER: Final = "https://kubernetes.default.svc"
_TOKEN_SECONDS: Final = 24 * 3600
# Heartbeats are late on two busy cores. With the defaults (50 s and 40 s), the controller manager
# would then mark nodes as failed and evict their pods.
_GRACE: Final = "300s"
_LEASE_SECONDS: Final = 200
_QPS: Final = ("--kube-api-qps=300", "--kube-api-burst=600")
_LOCAL: Final = "127.0.0.1"


class Plane(Supervisor):
    """A control plane, as a context manager or with ``start`` and ``stop``.

    Its processes end with this process, even if this process is killed. Its files are deleted at
    the end, unless a directory is given.

    Args:
        binaries: The programs, from ``binaries()``.
        directory: Folder for keys, data and ``logs/``. Default: a temporary folder.

    Attributes:
        server: URL of the API server.
        token: Bearer token of the user ``simulation``, who has all rights.
        ca_bundle: Certificate of the authority that signed the server's certificate, PEM in base64.
        kubeconfig: File for kubectl, helm and other clients, with that token.
        binaries: The programs.
        fleet: The EC2 fleet that Karpenter launches instances from.
    """

    def __init__(self, binaries: Binaries, *, directory: Path | None = None) -> None:
        self._temporary = directory is None
        folder = Path(tempfile.mkdtemp(prefix="simulation-")) if directory is None else directory
        super().__init__(folder.resolve())
        self.directory.mkdir(parents=True, exist_ok=True)
        self.binaries = binaries
        self._credentials = make_credentials(self.directory / "credentials")
        ports = free_ports(8)
        self._etcd_ports, self._port = ports[:2], ports[2]
        self._manager_port, self._scheduler_port, self._kwok_port = ports[3:6]
        self._karpenter_ports = (ports[6], ports[7])
        self.server = f"https://{_LOCAL}:{self._port}"
        self.token = self._credentials.token
        self.ca_bundle = self._credentials.ca_bundle
        self.kubeconfig = self._kubeconfig("admin", self.token)
        self.fleet = Fleet(self.directory / "fleet")

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start all processes but Karpenter, and return when pods can be scheduled and run.

        Raises:
            ProcessEnded: If a process ends or does not become ready, with the end of its log.
        """
        # The API server waits for its store, so both start at the same time.
        self._start_etcd()
        self._await(self._start_api_server())
        others = (self._start_manager(), self._start_scheduler(), self._start_kwok())
        for each in others:
            self._await(each)

    def stop(self) -> None:
        """Kill all processes, Karpenter first, and delete the temporary folder."""
        super().stop()
        if self._temporary:
            shutil.rmtree(self.directory, ignore_errors=True)

    def client(self, as_user: str | None = None, groups: Sequence[str] = ()) -> client.ApiClient:
        """Return a client with all rights, or with the rights of a user.

        Args:
            as_user: User to impersonate, such as ``system:serviceaccount:team-a:driver``.
            groups: Groups of the user. Kubernetes adds those of a service account.

        Raises:
            ValueError: If groups are given without a user.
        """
        return api_client(
            server=self.server,
            authority=self._credentials.authority,
            token=self.token,
            user=as_user,
            groups=groups,
        )

    def start_karpenter(self, launch: KarpenterLaunch) -> Process:
        """Start Karpenter with the rights of its service account; return when it is healthy.

        The emulated AWS must run: Karpenter reads prices, subnets and instance types at its start.

        Raises:
            ProcessEnded: If it ends or does not become healthy, with the end of its log.
            kubernetes.client.ApiException: If the service account does not exist.
        """
        namespace, name = launch.service_account
        request = client.AuthenticationV1TokenRequest(
            spec=client.V1TokenRequestSpec(audiences=[_ISSUER], expiration_seconds=_TOKEN_SECONDS)
        )
        with self.client() as admin:
            core = client.CoreV1Api(admin)
            created = core.create_namespaced_service_account_token(name, namespace, request)
        token = str(created.status.token) if created.status else ""
        environment = karpenter_environment(
            launch,
            kubeconfig=self._kubeconfig("karpenter", token),
            fleet_kubeconfig=self.kubeconfig,
            fleet=self.fleet.directory,
            ports=self._karpenter_ports,
        )
        ready = answers(f"http://{_LOCAL}:{self._karpenter_ports[1]}/healthz")
        process = self.spawn(
            "karpenter", self.binaries.karpenter, launch.args, environment, ready=ready
        )
        self._await(process)
        return process

    def _await(self, process: Process) -> None:
        """Wait until a process is ready, or fail as soon as any process ends."""

        def ready() -> None:
            self.check()
            if process.ready is not None:
                process.ready()

        await_ready(process, ready)

    def _start_etcd(self) -> Process:
        client_url, peer_url = (f"http://{_LOCAL}:{port}" for port in self._etcd_ports)
        args = (
            f"--data-dir={self.directory / 'etcd'}",
            "--unsafe-no-fsync",
            f"--quota-backend-bytes={8 * 2**30}",
            f"--listen-client-urls={client_url}",
            f"--advertise-client-urls={client_url}",
            f"--listen-peer-urls={peer_url}",
            f"--initial-advertise-peer-urls={peer_url}",
            f"--initial-cluster=default={peer_url}",
        )
        return self.spawn("etcd", self.binaries.etcd, args, ready=answers(f"{client_url}/readyz"))

    def _start_api_server(self) -> Process:
        files = self._credentials
        args = (
            f"--etcd-servers=http://{_LOCAL}:{self._etcd_ports[0]}",
            f"--secure-port={self._port}",
            f"--advertise-address={_LOCAL}",
            f"--bind-address={_LOCAL}",
            f"--tls-cert-file={files.certificate}",
            f"--tls-private-key-file={files.key}",
            f"--token-auth-file={files.tokens}",
            "--authorization-mode=RBAC",
            f"--service-account-issuer={_ISSUER}",
            f"--service-account-key-file={files.service_account_key}",
            f"--service-account-signing-key-file={files.service_account_key}",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--allow-privileged=true",
            # No pod runs a program, so the API needs no endpoint inside the cluster.
            "--endpoint-reconciler-type=none",
        )
        ready = answers(f"{self.server}/readyz", files.authority)
        return self.spawn("kube-apiserver", self.binaries.kube_apiserver, args, ready=ready)

    def _start_manager(self) -> Process:
        args = (
            *self._component(self._manager_port),
            # As in EKS: admission policies recognize controllers by their service accounts.
            "--use-service-account-credentials=true",
            f"--service-account-private-key-file={self._credentials.service_account_key}",
            f"--root-ca-file={self._credentials.authority}",
            f"--node-monitor-grace-period={_GRACE}",
        )
        ready = self._healthy(self._manager_port, "healthz")
        return self.spawn(
            "kube-controller-manager", self.binaries.kube_controller_manager, args, ready=ready
        )

    def _start_scheduler(self) -> Process:
        args = self._component(self._scheduler_port)
        ready = self._healthy(self._scheduler_port, "readyz")
        return self.spawn("kube-scheduler", self.binaries.kube_scheduler, args, ready=ready)

    def _start_kwok(self) -> Process:
        config = write_stages(self.binaries.stages, self.directory / "stages.yaml")
        args = (
            f"--kubeconfig={self.kubeconfig}",
            f"--config={config}",
            "--manage-all-nodes=false",
            # With any value: system nodes have another value than Karpenter's nodes.
            f"--manage-nodes-with-label-selector={SIMULATED_NODES[0]}",
            f"--node-lease-duration-seconds={_LEASE_SECONDS}",
            f"--server-address={_LOCAL}:{self._kwok_port}",
            "--cidr=100.64.0.1/10",
        )
        ready = answers(f"http://{_LOCAL}:{self._kwok_port}/healthz")
        return self.spawn("kwok", self.binaries.kwok, args, ready=ready)

    def _component(self, port: int) -> tuple[str, ...]:
        files = self._credentials
        return (
            f"--kubeconfig={self.kubeconfig}",
            "--leader-elect=false",
            f"--bind-address={_LOCAL}",
            f"--secure-port={port}",
            f"--tls-cert-file={files.certificate}",
            f"--tls-private-key-file={files.key}",
            *_QPS,
        )

    def _healthy(self, port: int, path: str) -> Callable[[], None]:
        return answers(f"https://{_LOCAL}:{port}/{path}", self._credentials.authority)

    def _kubeconfig(self, name: str, token: str) -> Path:
        return write_kubeconfig(
            self.directory / f"{name}.kubeconfig",
            server=self.server,
            authority=self._credentials.authority,
            token=token,
        )


# ``pod-complete`` ends the pod of a Job as soon as it runs, but a submitter must run as long as its
# job.
_LEFT_OUT: Final = frozenset({"kustomization", "pod-complete"})


def write_stages(stages: Path, path: Path) -> Path:
    """Write one KWOK configuration with all stages of a folder, and return its path.

    KWOK does not start without stages. These are its fast stages: a node is ready and a pod runs as
    soon as it exists. The simulated jobs end their pods.
    """
    found = sorted(each for each in stages.rglob("*.yaml") if "testdata" not in each.parts)
    texts = [each.read_text(encoding="utf-8") for each in found if each.stem not in _LEFT_OUT]
    path.write_text("\n---\n".join(texts), encoding="utf-8")
    return path
