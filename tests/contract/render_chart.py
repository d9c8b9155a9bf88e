"""Find out what each value of Karpenter's chart does, by rendering the chart with Helm.

Each leaf of ``values.yaml`` is changed alone, the chart is rendered, and the places of the rendered
objects that differ from the default rendering are recorded. A value that moves nothing is recorded
with no place, so that a test can refuse it.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import yaml

from tests.contract.chart_values import REQUIRED, leaves, nested

CHART: Final = "charts/karpenter"
SENTINEL: Final = "sentinel"

# Values that the templates quote in structures, so that a bare string renders nothing valid.
PROBES: Final[Mapping[str, object]] = {
    "additionalClusterRoleRules": [
        {"apiGroups": [SENTINEL], "resources": [SENTINEL], "verbs": [SENTINEL]}
    ],
    "affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": []}},
    "topologySpreadConstraints": [{"topologyKey": SENTINEL}],
    "tolerations": [{"key": SENTINEL, "operator": "Exists"}],
    "controller.env": [{"name": SENTINEL, "value": SENTINEL}],
    "controller.envFrom": [{"configMapRef": {"name": SENTINEL}}],
    "controller.sidecarContainer": [{"name": SENTINEL, "image": SENTINEL}],
    "controller.extraVolumeMounts": [{"name": SENTINEL, "mountPath": SENTINEL}],
    "extraVolumes": [{"name": SENTINEL, "emptyDir": {}}],
    "imagePullSecrets": [{"name": SENTINEL}],
    "initContainers": [{"name": SENTINEL, "image": SENTINEL}],
    "logOutputPaths": [SENTINEL],
    "logErrorOutputPaths": [SENTINEL],
    "serviceMonitor.relabelings": [{"action": SENTINEL}],
    "serviceMonitor.metricRelabelings": [{"action": SENTINEL}],
}

# Values that act only together with another one.
WITH: Final[Mapping[str, Mapping[str, object]]] = {
    "serviceMonitor.additionalLabels": {"serviceMonitor.enabled": True},
    "serviceMonitor.endpointConfig": {"serviceMonitor.enabled": True},
    "serviceMonitor.metricRelabelings": {"serviceMonitor.enabled": True},
    "serviceMonitor.relabelings": {"serviceMonitor.enabled": True},
    "serviceMonitor.sampleLimit": {"serviceMonitor.enabled": True},
    "controller.sidecarVolumeMounts": {
        "controller.sidecarContainer": [{"name": SENTINEL, "image": SENTINEL}]
    },
}


def probe(path: str, default: object) -> object:
    """Choose another value for a leaf."""
    if path in PROBES:
        return PROBES[path]
    match default:
        case bool():
            return not default
        case int() | float():
            return default + 7
        case dict():
            return {SENTINEL: SENTINEL}
        case list():
            return [{"name": SENTINEL, "mountPath": SENTINEL}]
        case None:
            return 17
        case _:
            return SENTINEL


def render(helm: Path, chart: Path, values: Mapping[str, object]) -> dict[str, object]:
    """Render the chart: every leaf of every object by its place.

    A container's environment is keyed by variable, all other lists by position.
    """
    command = [str(helm), "template", "karpenter", str(chart), "--namespace", "kube-system"]
    command += ["--kube-version", "1.36.0", "--api-versions", "monitoring.coreos.com/v1"]
    answer = subprocess.run(
        [*command, "--values", "-"],
        input=json.dumps(values),
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, object] = {}
    for document in yaml.safe_load_all(answer.stdout):
        if document:
            name = f"{document['kind']}/{document['metadata']['name']}"
            found.update((f"{name}:{path}", value) for path, value in _places(document))
    return found


def _places(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _places(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            name = item.get("name") if path.endswith(".env") and isinstance(item, dict) else None
            yield from _places(item, f"{path}[{name or index}]")
    else:
        yield path, value


def _moved(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """Name the places that differ; an object that comes or goes is named once, as a whole."""
    objects = [{place.partition(":")[0] for place in rendered} for rendered in (before, after)]
    changed = objects[0] ^ objects[1]
    places = {p for p in before.keys() | after.keys() if before.get(p) != after.get(p)}
    return sorted({p.partition(":")[0] if p.partition(":")[0] in changed else p for p in places})


def chart_data(module: Path, helm: Path) -> dict[str, object]:
    """Render the chart once for each of its values and note what moved."""
    chart = module / CHART
    defaults = yaml.safe_load((chart / "values.yaml").read_text())
    rendered = render(helm, chart, nested(REQUIRED))
    effects: dict[str, list[str]] = {}
    for path, default in leaves(defaults):
        given = {**REQUIRED, **WITH.get(path, {})}
        before = render(helm, chart, nested(given)) if path in WITH else rendered
        after = render(helm, chart, nested({**given, path: probe(path, default)}))
        effects[path] = _moved(before, after)
    return {
        "defaults": defaults,
        "effects": effects,
        "environment": {
            place.rpartition(".env[")[2].partition("]")[0]: value
            for place, value in rendered.items()
            if ".env[" in place and place.endswith("].value")
        },
    }
