"""What pods of tenants may be, whoever makes them: EMR, a controller, or code in a driver."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.admission.claims import CLASSES, IN_PODS
from cdk_emr_eks.model.admission.identities import (
    BY_CONTROLLER,
    BY_GATEWAY,
    BY_ITS_ROLES,
    BY_JOB_CONTROLLER,
    BY_LIVY,
    BY_STRANGER,
    CREATOR,
    LIVY_SESSION,
    OF_CONTROLLER,
    same_role,
)
from cdk_emr_eks.model.admission.policy import AdmissionPolicy, Rule
from cdk_emr_eks.model.admission.tenant_values import (
    DIGESTS,
    REGISTRIES,
    UNDISTURBED,
    WORKLOADS,
    annotation,
    listed,
)
from cdk_emr_eks.model.images.emr_images import EMR_IMAGE

MAX_GRACE_SECONDS: Final = 120
"""Longest grace period: what spot leaves. More would hold a node that should go."""
MAX_OVERCOMMIT: Final = 4
"""Most memory that a container may take, in terms of what it requests. Spark's take what they
request, EMR's logging container takes two and a half times as much."""

_VOLUMES: Final = (
    *("configMap", "downwardAPI", "emptyDir", "ephemeral"),
    *("persistentVolumeClaim", "projected", "secret"),
)
_NODE_CONDITIONS: Final = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


_VARIABLES: Final = {
    "containers": "object.spec.containers + object.spec.?initContainers.orValue([])",
    "workloads": listed(WORKLOADS),
    "registries": listed(REGISTRIES),
    "creator": CREATOR,
    # A Spark kernel is a driver, too, and so is a session of Livy.
    "byDriver": "variables.creator.matches('^emr-containers-sa-spark-(driver|jeg-kernel)-')"
    f" || variables.creator == '{LIVY_SESSION}'",
    "byLivy": BY_LIVY,
    "controller": OF_CONTROLLER,
    "classes": CLASSES,
    "pod": "request.userInfo.?extra[?'authentication.kubernetes.io/pod-uid'].orValue([])",
    "byEmr": f"{BY_CONTROLLER} || {BY_GATEWAY}",
    "undisturbed": listed(UNDISTURBED),
    "account": "object.spec.?serviceAccountName.orValue('')",
    "role": f"object.metadata.?labels[?'{labels.SPARK_ROLE}'].orValue('')",
    "foreign": f"variables.containers.filter(c, !c.image.matches('{EMR_IMAGE}'))",
    "priority": "object.spec.?priorityClassName.orValue('')",
}


def _each(condition: str) -> str:
    return f"variables.containers.all(c, {condition})"


def _offender(condition: str) -> str:
    return f"variables.containers.filter(c, !({condition}))[0].name"


def _of_containers(condition: str, message: str) -> Rule:
    return Rule(expression=_each(condition), message=message, subject=_offender(condition))


def _unless_emrs(condition: str, message: str) -> Rule:
    """Ask it of pods that tenants' code makes, not of those that EMR itself has made.

    How EMR hardens gateways and kernels is not documented. Their pods come from controllers, which
    only EMR's user can give work to, and from the gateway: no code of a tenant can make them.
    """
    rule = _of_containers(condition, message)
    return replace(rule, expression=f"variables.byEmr || {rule.expression}")


_HARDENED: Final = (
    _unless_emrs(
        "c.?securityContext.?runAsNonRoot"
        ".orValue(object.spec.?securityContext.?runAsNonRoot.orValue(false)) && "
        "c.?securityContext.?runAsUser"
        ".orValue(object.spec.?securityContext.?runAsUser.orValue(1)) != 0",
        "containers must not run as root (runAsNonRoot: true)",
    ),
    _unless_emrs(
        "!c.?securityContext.?allowPrivilegeEscalation.orValue(true)",
        "containers must have allowPrivilegeEscalation: false",
    ),
    _of_containers(
        "!c.?securityContext.?privileged.orValue(false) && "
        "c.?securityContext.?procMount.orValue('Default') == 'Default'",
        "containers must not be privileged or unmask /proc (procMount: Default)",
    ),
    _unless_emrs(
        "'ALL' in c.?securityContext.?capabilities.?drop.orValue([]) && "
        "c.?securityContext.?capabilities.?add.orValue([]).size() == 0",
        "containers must drop the capability ALL and add none",
    ),
    _of_containers(
        "c.?ports.orValue([]).all(p, p.?hostPort.orValue(0) == 0)",
        "containers must not take ports of the node",
    ),
    Rule(
        expression="!object.spec.?hostNetwork.orValue(false) && "
        "!object.spec.?hostPID.orValue(false) && !object.spec.?hostIPC.orValue(false)",
        message="pods must not share the network, processes or IPC of the node",
    ),
    Rule(
        expression="object.spec.?volumes.orValue([]).all(v, "
        + " || ".join(f"has(v.{kind})" for kind in _VOLUMES)
        + ")",
        message=f"volumes must be one of {', '.join(_VOLUMES)}",
    ),
    *IN_PODS,
)

_RESOURCES: Final = (
    _unless_emrs(
        "'cpu' in c.?resources.?requests.orValue({}) && "
        "'memory' in c.?resources.?requests.orValue({}) && "
        "'memory' in c.?resources.?limits.orValue({})",
        "containers must request cpu and memory and limit memory",
    ),
    _unless_emrs(
        "[c.?resources.?limits[?'memory'], c.?resources.?requests[?'memory']]"
        ".exists(m, !m.hasValue()) || "
        "quantity(c.resources.limits['memory']).asApproximateFloat() <= "
        f"{MAX_OVERCOMMIT}.0 * quantity(c.resources.requests['memory']).asApproximateFloat()",
        f"containers must limit memory to at most {MAX_OVERCOMMIT} times what they request",
    ),
    Rule(
        expression="!has(object.spec.resourceClaims) || object.spec.resourceClaims.size() == 0",
        message="pods must not claim devices",
    ),
)

_IMAGES: Final = (
    Rule(
        expression="variables.foreign.all(c, "
        "variables.registries.exists(r, c.image.startsWith(r)))",
        message="images must come from EMR or from the tenant's registries",
        subject="variables.foreign.filter(c, "
        "!variables.registries.exists(r, c.image.startsWith(r)))[0].image",
    ),
    Rule(
        expression=f"{annotation(DIGESTS)} != 'required' || "
        "variables.foreign.all(c, c.image.matches('@sha256:[0-9a-f]{64}$'))",
        message="images other than EMR's must be named by digest",
    ),
)

_REQUIRED: Final = "?requiredDuringSchedulingIgnoredDuringExecution.orValue([])"
_PREFERRED: Final = "?preferredDuringSchedulingIgnoredDuringExecution.orValue([])"
_TERMS: Final = (
    f"object.spec.?affinity.?podAntiAffinity.{_REQUIRED} + "
    f"object.spec.?affinity.?podAffinity.{_REQUIRED} + "
    f"object.spec.?affinity.?podAffinity.{_PREFERRED}.map(p, p.podAffinityTerm)"
)

_PLACEMENT: Final = (
    Rule(
        expression="object.spec.?nodeName.orValue('') == ''",
        message="pods must be placed by the scheduler, not by nodeName",
    ),
    Rule(
        expression="object.spec.?schedulerName.orValue('default-scheduler') == 'default-scheduler'"
        " && !has(object.spec.runtimeClassName)",
        message="pods must have the default scheduler and no runtime class",
    ),
    Rule(
        expression="object.spec.?tolerations.orValue([]).all(t, "
        f"t.?key.orValue('') in [{', '.join(map(repr, _NODE_CONDITIONS))}] || "
        "(t.?operator.orValue('Equal') == 'Equal' && "
        f"(t.?key.orValue('') == '{labels.WORKLOAD}' "
        "? t.?value.orValue('') in variables.workloads "
        f": t.?key.orValue('') == '{labels.ROLE}' && t.?value.orValue('') in "
        f"(variables.byDriver ? ['{SparkRole.EXECUTOR}'] "
        f": ['{SparkRole.DRIVER}', '{SparkRole.EXECUTOR}']))))",
        message="pods must tolerate the nodes of the tenant's workloads and of their role only",
    ),
    Rule(
        expression="variables.priority == '' || variables.workloads.exists(w, "
        f"variables.priority == w + '-{SparkRole.EXECUTOR}' || "
        f"(!variables.byDriver && variables.priority == w + '-{SparkRole.DRIVER}'))",
        message="the priority class must be one of the tenant's workloads and of the pod's role",
        subject="variables.priority",
    ),
    Rule(
        # Kubernetes heeds anti-affinity for the pods of others, too: it would keep them away. An
        # affinity would choose whose neighbour to be, and tell who is there.
        expression=f"({_TERMS}).all(t, "
        "!has(t.namespaceSelector) && t.?namespaces.orValue([]).size() == 0)",
        message="affinity and required anti-affinity must not reach into other namespaces",
    ),
    Rule(
        expression=f"object.spec.?terminationGracePeriodSeconds.orValue(30) <= {MAX_GRACE_SECONDS}",
        message=f"the grace period must be at most {MAX_GRACE_SECONDS} seconds",
    ),
)

_LABEL: Final = "object.metadata.?labels"
_OWNER: Final = f"namespaceObject.metadata.?labels[?'{labels.TENANT}'].orValue('')"

_IDENTITY: Final = (
    Rule(
        expression="variables.creator == '' || "
        + same_role("variables.creator", "variables.account"),
        message="pods must have a service account of the execution role that makes them",
        subject="variables.account",
    ),
    Rule(
        # Gateways need no hardening, and submitters make drivers: what code makes is neither.
        expression="variables.creator == '' || variables.account == variables.creator && "
        "variables.byDriver || variables.account.matches("
        "'^emr-containers-sa-spark-(executor|driver|jeg-kernel)-')"
        " || !variables.byDriver && variables.account.matches("
        "'^emr-containers-sa-spark-session-')",
        message="code must make pods with a service account of an executor, a driver or a kernel",
        subject="variables.account",
    ),
    Rule(
        expression=f"!variables.byLivy || variables.account == '{LIVY_SESSION}'",
        message="Livy must make pods with the service account of its sessions",
        subject="variables.account",
    ),
    Rule(
        # Whoever writes what such a controller does writes the account, too.
        expression=f"!({BY_JOB_CONTROLLER}) || {BY_ITS_ROLES}",
        message="controllers of jobs must make pods with an account of a role that the tenant lets "
        "them use",
        subject="variables.account",
    ),
    Rule(
        expression=f"!{BY_STRANGER}",
        message="pods must be made by EMR, the tenant's own code or controllers that it names",
        subject="request.userInfo.username",
    ),
    Rule(
        expression=f"{_LABEL}[?'{labels.TENANT}'].orValue({_OWNER}) == {_OWNER}",
        message=f"the label {labels.TENANT} must be the namespace's own",
    ),
    Rule(
        expression=f"!{_LABEL}[?'{labels.WORKLOAD}'].hasValue() || "
        f"object.metadata.labels['{labels.WORKLOAD}'] in variables.workloads",
        message=f"the label {labels.WORKLOAD} must be one of the tenant's workloads",
    ),
    Rule(
        # AWS promises network policies for pods that something owns. Spark does so in each job;
        # of kernels it is not documented. Kubernetes knows which pod has the token that it is told.
        expression="!variables.creator.startsWith('emr-containers-sa-spark-driver-') || "
        "object.metadata.?ownerReferences.orValue([]).exists(o, "
        "o.kind == 'Pod' && o.?controller.orValue(false) && "
        "(variables.pod.size() == 0 || o.uid in variables.pod))",
        message="what a driver makes must be owned by the driver's pod",
    ),
    Rule(
        expression=f"!variables.byDriver || variables.role == '{SparkRole.EXECUTOR}'",
        message="what a driver makes must be labelled as an executor",
    ),
    Rule(
        expression=f"!(object.metadata.?annotations[?'{labels.DO_NOT_DISRUPT}'].hasValue()) || "
        "(variables.byDriver ? object.spec.?tolerations.orValue([]).exists(t, "
        f"t.?key.orValue('') == '{labels.WORKLOAD}' && "
        "t.?value.orValue('') in variables.undisturbed) "
        f": variables.role == '{SparkRole.DRIVER}' || variables.byEmr)",
        message=f"only drivers, job submitters and executors of on-demand workloads may be "
        f"annotated {labels.DO_NOT_DISRUPT}",
    ),
)

PODS: Final = AdmissionPolicy(
    name="emr-eks-pods",
    resources={"": ("pods",)},
    operations=("CREATE",),
    variables=_VARIABLES,
    rules=(*_HARDENED, *_RESOURCES, *_IMAGES, *_PLACEMENT, *_IDENTITY),
)
"""What a pod may be when it is made."""
