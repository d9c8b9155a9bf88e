"""Admission of a tenant's pods: its options, and the labels and annotations of its namespace.

Tenants cannot write labels and annotations of their namespace. One set of policies reads them, so
the cluster needs no further object for a tenant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import ConfigProblem
from cdk_emr_eks.model.images.emr_images import EMR_IMAGE
from cdk_emr_eks.names import base36, dns_label, role_name
from cdk_emr_eks.tokens import has_token
from cdk_emr_eks.values import value

# Label: the admission mode.
MODE: Final = "emr-eks/admission"
# Annotation: names of the workloads whose pools and priority classes the tenant may use.
WORKLOADS: Final = "emr-eks/workloads"
# Annotation: names of those workloads whose executors protect their nodes from disruption.
UNDISTURBED: Final = "emr-eks/undisturbed-executors"
# Annotation: prefixes of image names that the tenant may run in addition to EMR's images.
REGISTRIES: Final = "emr-eks/registries"
# Annotation: ``required`` if images other than EMR's must be given by digest.
DIGESTS: Final = "emr-eks/image-digests"
# Annotation: further storage classes for the tenant's volume claims.
STORAGE_CLASSES: Final = "emr-eks/storage-classes"
# Annotation: controllers of other namespaces and their roles: ``namespace:account:role``.
CONTROLLERS: Final = "emr-eks/job-controllers"
# Annotation: namespaces of EMR's part of the tenant's jobs and sessions.
SYSTEM_NAMESPACES: Final = "emr-eks/system-namespaces"

# Host, optionally with a port, then folders. The final slash separates `team` and `team-other`.
_REGISTRY: Final = re.compile(r"[a-z0-9][a-z0-9.-]*(:\d+)?(/[a-z0-9][a-z0-9._-]*)*/")
_ACCOUNT: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_SYSTEM: Final = "kube-system"


def annotation(key: str) -> str:
    """Return CEL for an annotation of the namespace; empty text without it."""
    return f"namespaceObject.metadata.?annotations[?'{key}'].orValue('')"


def listed(key: str) -> str:
    """Return CEL for the list of names in an annotation of the namespace."""
    return f"({annotation(key)} == '' ? [] : {annotation(key)}.split(','))"


class AdmissionMode(StrEnum):
    """What happens to an object that the policies do not allow.

    Attributes:
        ENFORCE: The API server refuses it.
        AUDIT: The API server accepts it, warns the caller and writes an audit event. Use it to try
            the policies.
        OFF: Nothing: only Pod Security admission and RBAC bound the namespace.
    """

    ENFORCE = "enforce"
    AUDIT = "audit"
    OFF = "off"


@value
class JobController:
    """A controller outside of a tenant's namespace that creates pods of jobs in it.

    By default EMR's Spark operator, as its chart installs it. This library does not install one. It
    needs a separate namespace. Its drivers must satisfy the rules for all pods of tenants, and it
    may create no ingresses, workloads or disruption budgets there.

    The objects that its users write also name the service account of a driver. So a controller does
    not separate users, tenants or roles: a user who may create a ``SparkApplication`` in the
    namespace can use each of ``roles``.

    Args:
        roles: Names of execution roles that its pods may have; the namespace has each for jobs.
        namespace: Namespace of the controller. Default ``spark-operator``.
        service_account: Service account of the controller. Default that of EMR's chart; Kubeflow's
            chart uses ``spark-operator-controller``.

    Raises:
        ConfigError: If ``roles`` is empty or has a role twice, a name breaks a rule, or the
            controller is in ``kube-system``.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/spark-operator-gs.html
    """

    roles: tuple[str, ...]
    namespace: str = "spark-operator"
    service_account: str = "emr-containers-sa-spark-operator"

    def _rules(self, check: Check) -> None:
        rule = "must name at least one execution role, each once"
        once = bool(self.roles) and len(set(self.roles)) == len(self.roles)
        check.require(once, "roles", rule, ", ".join(self.roles))
        check.passes("roles", role_name)
        check.dns_label("namespace")
        # The policies trust accounts of Kubernetes' controllers more than others.
        rule = f"must not be {_SYSTEM}, whose accounts pass for Kubernetes' own controllers"
        check.require(self.namespace != _SYSTEM, "namespace", rule, self.namespace)
        rule = "a name of a service account (a-z, 0-9, '-', '.', at most 253 characters)"
        check.matches("service_account", _ACCOUNT, rule)

    @property
    def entries(self) -> tuple[str, ...]:
        """Entries of the namespace's annotation: ``namespace:account:role``, the role in base36."""
        return tuple(
            f"{self.namespace}:{self.service_account}:{base36(role)}" for role in self.roles
        )


@value
class Admission:
    """Rules for the pods of a tenant, in addition to Kubernetes' rules.

    Every pod of EMR satisfies them. They bound what code in a driver can create with the driver's
    service account: no pods that run as root, on nodes or with the priority of other tenants, with
    the service account of another role, or from any registry.

    Args:
        mode: Enforced by default.
        registries: Prefixes of image names that the tenant may run in addition to EMR's images,
            each with a slash at its end: ``111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/``;
            or ``SparkImage.registry``, a token.
        image_digests: Whether such images must be given by digest. Default False.
        storage_classes: Storage classes for volume claims of jobs, in addition to the platform's
            own for ``PersistentVolumes``. A class determines disks, encryption key and speed: name
            only classes for tenants.
        controllers: Controllers of other namespaces that create pods of jobs, such as EMR's Spark
            operator. Default none: their pods are refused. Livy's servers need no entry.

    Raises:
        ConfigError: If a registry is not a prefix of an image name up to a slash, a storage class
            is not a DNS label, or a controller is given twice.
    """

    mode: AdmissionMode = AdmissionMode.ENFORCE
    registries: tuple[str, ...] = ()
    image_digests: bool = False
    storage_classes: tuple[str, ...] = ()
    controllers: tuple[JobController, ...] = ()

    def _rules(self, check: Check) -> None:
        rule = "must be beginnings of image names, in lower case, up to a slash"
        for registry in self.registries:
            token = has_token(registry) and registry.endswith("/") and "," not in registry
            holds = token or bool(_REGISTRY.fullmatch(registry))
            fix = "end it with '/'" if _REGISTRY.fullmatch(f"{registry}/") else ""
            check.require(holds, "registries", rule, registry, fix)
        check.passes("storage_classes", dns_label)
        accounts = [f"{each.namespace}:{each.service_account}" for each in self.controllers]
        rule = "must have each controller once, with all its roles"
        once = len(set(accounts)) == len(accounts)
        check.require(once, "controllers", rule, ", ".join(accounts))

    def image_problems(self, field: str, image: str) -> tuple[ConfigProblem, ...]:
        """Check that pods with an image would be admitted.

        Args:
            field: Field that names the image.
            image: URI of the image; may be a token, whose registry is unknown.
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
        """Check that no controller is in the tenant's namespace.

        Args:
            namespace: The tenant's namespace.
        """
        rule = "must be of another namespace: all code in the tenant's is the tenant's"
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
            undisturbed: Those of them whose executors protect their nodes from disruption.
            system_namespaces: Namespaces of EMR's part of its jobs and sessions. Default none.
        """
        if self.mode is AdmissionMode.OFF:
            return {}
        found = {WORKLOADS: ",".join(workloads)}
        if kept := ",".join(undisturbed):
            found[UNDISTURBED] = kept
        if self.registries:
            found[REGISTRIES] = ",".join(self.registries)
        if self.image_digests:
            found[DIGESTS] = "required"
        if self.storage_classes:
            found[STORAGE_CLASSES] = ",".join(self.storage_classes)
        if self.controllers:
            entries = (entry for each in self.controllers for entry in each.entries)
            found[CONTROLLERS] = ",".join(entries)
        if partners := ",".join(system_namespaces):
            found[SYSTEM_NAMESPACES] = partners
        return found
