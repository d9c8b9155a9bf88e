"""Which pods are allowed in tenants' namespaces, and which changes of existing pods.

The rules hold for every creator: EMR, a controller, or code in a driver.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.admission.admission import (
    DIGESTS,
    REGISTRIES,
    UNDISTURBED,
    WORKLOADS,
    annotation,
    listed,
)
from cdk_emr_eks.model.admission.identities import (
    BY_CONTROLLER,
    BY_GATEWAY,
    BY_ITS_ROLES,
    BY_JOB_CONTROLLER,
    BY_LIVY,
    BY_STRANGER,
    BY_TENANT,
    CREATOR,
    LIVY_SESSION,
    OF_CONTROLLER,
    same_role,
)
from cdk_emr_eks.model.admission.objects import CLASSES, IN_PODS
from cdk_emr_eks.model.admission.policy import AdmissionPolicy, Rule
from cdk_emr_eks.model.images.emr_images import EMR_IMAGE

# Longest grace period: the time between the notice and the end of a spot instance. A longer one
# would delay the termination of a node.
MAX_GRACE_SECONDS: Final = 120

# Highest ratio of a container's memory limit to its request. Spark's containers limit what they
# request, EMR's logging container two and a half times as much.
MAX_OVERCOMMIT: Final = 4

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
    # Spark kernels and Livy sessions are drivers, too.
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


def _container_rule(condition: str, message: str) -> Rule:
    return Rule(expression=_each(condition), message=message, subject=_offender(condition))


def _unless_by_emr(condition: str, message: str) -> Rule:
    """Return a rule for pods that tenants' code creates, not for those of EMR.

    EMR does not document how it hardens gateways and kernels. Controllers, which only EMR's user
    can instruct, and the gateway create their pods: no code of a tenant can create them.
    """
    rule = _container_rule(condition, message)
    return replace(rule, expression=f"variables.byEmr || {rule.expression}")


_HARDENED: Final = (
    _unless_by_emr(
        "c.?securityContext.?runAsNonRoot"
        ".orValue(object.spec.?securityContext.?runAsNonRoot.orValue(false)) && "
        "c.?securityContext.?runAsUser"
        ".orValue(object.spec.?securityContext.?runAsUser.orValue(1)) != 0",
        "containers must not run as root (runAsNonRoot: true)",
    ),
    _unless_by_emr(
        "!c.?securityContext.?allowPrivilegeEscalation.orValue(true)",
        "containers must have allowPrivilegeEscalation: false",
    ),
    _container_rule(
        "!c.?securityContext.?privileged.orValue(false) && "
        "c.?securityContext.?procMount.orValue('Default') == 'Default'",
        "containers must not be privileged or unmask /proc (procMount: Default)",
    ),
    _unless_by_emr(
        "'ALL' in c.?securityContext.?capabilities.?drop.orValue([]) && "
        "c.?securityContext.?capabilities.?add.orValue([]).size() == 0",
        "containers must drop the capability ALL and add none",
    ),
    _container_rule(
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
    _unless_by_emr(
        "'cpu' in c.?resources.?requests.orValue({}) && "
        "'memory' in c.?resources.?requests.orValue({}) && "
        "'memory' in c.?resources.?limits.orValue({})",
        "containers must request cpu and memory and limit memory",
    ),
    _unless_by_emr(
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
        # Kubernetes applies required anti-affinity to pods of other namespaces, too, so it would
        # keep them away. With affinity, a pod could follow those of another tenant.
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
        # Gateways need no hardening, and submitters create drivers: code may create neither.
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
        # Users who write the objects of such a controller also write the service account.
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
        # AWS supports network policies for pods that have an owner. Spark sets it in each job; for
        # kernels it is not documented. Kubernetes knows the pod of the token of a request.
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

# Rules for the creation of pods.
PODS: Final = AdmissionPolicy(
    name="emr-eks-pods",
    resources={"": ("pods",)},
    operations=("CREATE",),
    variables=_VARIABLES,
    rules=(*_HARDENED, *_RESOURCES, *_IMAGES, *_PLACEMENT, *_IDENTITY),
)

_KEPT_LABELS: Final = (labels.SPARK_ROLE, labels.SPARK_APP_SELECTOR, labels.WORKLOAD, labels.TENANT)


def _same(path: str, key: str) -> str:
    return f"object.metadata.?{path}[?'{key}'] == oldObject.metadata.?{path}[?'{key}']"


# A change of an existing pod may not bypass the rules for its creation.
POD_CHANGES: Final = AdmissionPolicy(
    name="emr-eks-pod-changes",
    resources={"": ("pods", "pods/resize")},
    operations=("UPDATE",),
    rules=(
        Rule(
            # Kubernetes allows changes of images, tolerations and, by resize, of resources.
            expression="object.spec == oldObject.spec",
            message="the spec of a pod must stay as it was made",
        ),
        Rule(
            expression=" && ".join(
                [
                    *(_same("labels", key) for key in _KEPT_LABELS),
                    _same("annotations", labels.DO_NOT_DISRUPT),
                ]
            ),
            message="labels and annotations that placement and cost rely on must stay",
        ),
    ),
    conditions={"not-a-controller": f"!({BY_CONTROLLER})"},
)

# Code in a pod may change and delete only pods of its execution role.
POD_OWNERS: Final = AdmissionPolicy(
    name="emr-eks-pod-owners",
    resources={"": ("pods",)},
    operations=("UPDATE", "DELETE"),
    variables={
        "creator": CREATOR,
        "account": "oldObject.spec.?serviceAccountName.orValue('')",
    },
    rules=(
        Rule(
            expression=same_role("variables.creator", "variables.account"),
            message="pods of another execution role must be left alone",
        ),
        Rule(
            # A request can ask for a longer period than the pod's, and the node waits for it.
            expression="request.operation != 'DELETE' || "
            f"request.options.?gracePeriodSeconds.orValue(0) <= {MAX_GRACE_SECONDS}",
            message=f"the grace period must be at most {MAX_GRACE_SECONDS} seconds",
        ),
    ),
    conditions={"by-a-pod": BY_TENANT},
)

# No user adds a container to an existing pod of a tenant.
POD_ACCESS: Final = AdmissionPolicy(
    name="emr-eks-pod-access",
    resources={"": ("pods/ephemeralcontainers",)},
    operations=("UPDATE",),
    rules=(Rule(expression="false", message="pods must not get ephemeral containers"),),
)
