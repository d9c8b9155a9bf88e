"""What admission must know of a tenant: labels and annotations of its namespace.

Tenants cannot write them, so one set of policies serves all tenants, and a tenant adds no object.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cdk_emr_eks.errors import ConfigProblem, Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.model.admission.job_controller import JobController
from cdk_emr_eks.model.images.emr_images import EMR_IMAGE
from cdk_emr_eks.names import dns_label
from cdk_emr_eks.tokens import has_token

MODE: Final = "emr-eks/admission"
"""Label: how the policies treat what they do not allow."""
WORKLOADS: Final = "emr-eks/workloads"
"""Annotation: names of the workloads whose pools and priority classes the tenant may use."""
UNDISTURBED: Final = "emr-eks/undisturbed-executors"
"""Annotation: names of those workloads whose executors keep their nodes from disruption."""
REGISTRIES: Final = "emr-eks/registries"
"""Annotation: beginnings of image names beside EMR's own that the tenant may run."""
DIGESTS: Final = "emr-eks/image-digests"
"""Annotation: ``required`` where images that are not EMR's must be named by digest."""
STORAGE_CLASSES: Final = "emr-eks/storage-classes"
"""Annotation: storage classes beside the platform's own that the tenant may claim volumes of."""

CONTROLLERS: Final = "emr-eks/job-controllers"
"""Annotation: who makes pods from elsewhere, and as whom: ``namespace:account:role``."""
SYSTEM_NAMESPACES: Final = "emr-eks/system-namespaces"
"""Annotation: namespaces of EMR's own part of the tenant's jobs and sessions."""

# Host, optionally with a port, then folders; the slash at the end keeps `team` from `team-other`.
_REGISTRY: Final = re.compile(r"[a-z0-9][a-z0-9.-]*(:\d+)?(/[a-z0-9][a-z0-9._-]*)*/")


def annotation(key: str) -> str:
    """Return CEL for an annotation of the namespace; empty where it is not there."""
    return f"namespaceObject.metadata.?annotations[?'{key}'].orValue('')"


def listed(key: str) -> str:
    """Return CEL for the names in an annotation of the namespace."""
    return f"({annotation(key)} == '' ? [] : {annotation(key)}.split(','))"


class AdmissionMode(StrEnum):
    """What happens to an object that the policies do not allow."""

    ENFORCE = "enforce"
    """It is refused."""
    AUDIT = "audit"
    """Who makes it is warned, and the API server's audit log has it: to try the policies first."""
    OFF = "off"
    """Nothing: the namespace is under Pod Security admission and RBAC only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Admission:
    """What the pods of a tenant may be, beyond Kubernetes' own rules.

    Every pod of EMR meets the rules. They bound what code in a driver could make with the driver's
    service account: pods as root, on nodes or with the priority of others, with another role's
    service account, from any registry.

    Args:
        mode: Enforced by default.
        registries: Beginnings of image names that the tenant may run beside EMR's own images, each
            with a slash at its end: ``111122223333.dkr.ecr.eu-west-1.amazonaws.com/analytics/``; or
            ``SparkImage.registry``, a token.
        image_digests: Whether such images must be named by digest. Default False.
        storage_classes: Storage classes that jobs may claim volumes of, beside the platform's own
            for ``PersistentVolumes``. A class says which disks, whose key, and how fast: none but
            those that are meant for tenants.
        controllers: Controllers of other namespaces that make pods of jobs, such as EMR's Spark
            operator. Default none: pods that they make are refused. Livy's servers need no entry.

    Raises:
        ConfigError: If a registry is not the beginning of an image name up to a slash, a storage
            class is no name of one, or a controller is given twice.
    """

    mode: AdmissionMode = AdmissionMode.ENFORCE
    registries: tuple[str, ...] = ()
    image_digests: bool = False
    storage_classes: tuple[str, ...] = ()
    controllers: tuple[JobController, ...] = ()

    def __post_init__(self) -> None:
        check_types("Admission", self)
        problems = Problems("Admission")
        rule = "must be beginnings of image names, in lower case, up to a slash"
        for registry in self.registries:
            token = has_token(registry) and registry.endswith("/") and "," not in registry
            holds = token or bool(_REGISTRY.fullmatch(registry))
            fix = "end it with '/'" if _REGISTRY.fullmatch(f"{registry}/") else ""
            problems.require(holds, "registries", rule, registry, fix)
        for name in self.storage_classes:
            problems.extend(dns_label("storage_classes", name))
        accounts = [f"{each.namespace}:{each.service_account}" for each in self.controllers]
        rule = "must have each controller once, with all its roles"
        once = len(set(accounts)) == len(accounts)
        problems.require(once, "controllers", rule, ", ".join(accounts))
        problems.raise_if_any()

    def image_problems(self, field: str, image: str) -> tuple[ConfigProblem, ...]:
        """Return what speaks against an image: whether pods that run it would be refused.

        Args:
            field: Field that names the image.
            image: URI of the image; may be a token, whose registry is not known.
        """
        known = "" if has_token(image) else image
        admitted = any(not known or known.startswith(each) for each in self.registries)
        admitted |= re.match(EMR_IMAGE, image) is not None
        if self.mode is not AdmissionMode.ENFORCE or admitted:
            return ()
        rule = "must be of a registry in admission.registries, or its pods are refused"
        fix = "SparkImage.registry is its beginning"
        return (ConfigProblem(field=field, rule=rule, got=image, fix=fix),)

    def controller_problems(self, namespace: str) -> tuple[ConfigProblem, ...]:
        """Return what speaks against the controllers of a tenant: those beside its own code.

        Args:
            namespace: The tenant's own.
        """
        rule = "must be of another namespace: what is in the tenant's own is code of the tenant"
        return tuple(
            ConfigProblem(field="admission.controllers", rule=rule, got=namespace)
            for each in self.controllers
            if each.namespace == namespace
        )

    def labels(self) -> dict[str, str]:
        """Return the labels of the namespace."""
        return {} if self.mode is AdmissionMode.OFF else {MODE: str(self.mode)}

    def annotations(
        self,
        workloads: Iterable[str],
        undisturbed: Iterable[str],
        system_namespaces: Iterable[str] = (),
    ) -> dict[str, str]:
        """Return the annotations of a namespace.

        Args:
            workloads: Names of the workloads that the tenant may use.
            undisturbed: Those of them whose executors keep their nodes from disruption.
            system_namespaces: Where EMR's own part of its jobs and sessions is. Default none.
        """
        if self.mode is AdmissionMode.OFF:
            return {}
        made = {WORKLOADS: ",".join(workloads)}
        if kept := ",".join(undisturbed):
            made[UNDISTURBED] = kept
        if self.registries:
            made[REGISTRIES] = ",".join(self.registries)
        if self.image_digests:
            made[DIGESTS] = "required"
        if self.storage_classes:
            made[STORAGE_CLASSES] = ",".join(self.storage_classes)
        if self.controllers:
            entries = (entry for each in self.controllers for entry in each.entries)
            made[CONTROLLERS] = ",".join(entries)
        if partners := ",".join(system_namespaces):
            made[SYSTEM_NAMESPACES] = partners
        return made
