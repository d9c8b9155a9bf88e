"""Arithmetic of pods on nodes, at its limits and one step beyond."""

from __future__ import annotations

from typing import Any

import pytest

from cdk_emr_eks.model.instances.instances import Instances, Resources
from cdk_emr_eks.model.instances.packing import (
    LOGGING_SIDECAR_CPU,
    LOGGING_SIDECAR_MEMORY,
    SUBMITTER,
    WELL_PACKED,
    PodPacking,
    free,
    pack,
    packing_problems,
    packing_warnings,
)
from cdk_emr_eks.units import Cpu, Memory

NOTHING = Resources(Cpu(0), Memory(0))
SMALL, LARGE = Instances(families=("m7g",), sizes=("2xlarge", "8xlarge")).types()
# Allocatable minus DaemonSets, for Spark.
SMALL_CPU, SMALL_MEMORY = 8_000 - 90 - 190, 32_768 - 64 - 2_453 - 1_465 - 100 - 344


def problems(**changes: Any) -> list[str]:
    given: dict[str, Any] = {
        "cores": 4,
        "memory": None,
        "least": Memory(1_024),
        "headroom": NOTHING,
        **changes,
    }
    return [str(each) for each in packing_problems("field", (LARGE, SMALL), **given)]


def test_requests_of_emr() -> None:
    assert (Cpu(10), Memory(512)) == (LOGGING_SIDECAR_CPU, LOGGING_SIDECAR_MEMORY)
    assert (Cpu(900), Memory(712)) == SUBMITTER


def test_a_node_has_what_daemonsets_and_headroom_leave() -> None:
    assert free(SMALL, NOTHING) == (Cpu(SMALL_CPU), Memory(SMALL_MEMORY))
    headroom = Resources(Cpu(100), Memory(256))
    assert free(SMALL, headroom) == (Cpu(SMALL_CPU - 100), Memory(SMALL_MEMORY - 256))
    assert free(SMALL, Resources(Cpu(9_000), Memory(99_999))) == (Cpu(0), Memory(0))


def test_a_pod_can_have_the_cores_of_the_smallest_type() -> None:
    assert problems(cores=8) == []
    assert problems(cores=9) == [
        "field must not have sizes below the 9 cores of the pod, got 'm7g.2xlarge'; m7g.2xlarge "
        "has 8 vCPUs"
    ]


def test_a_pod_has_its_share_of_the_memory_of_a_node() -> None:
    # Two pods of four cores on a node of eight.
    share = SMALL_MEMORY // 2 - 512
    assert problems(least=Memory(share)) == []
    assert problems(least=Memory(share + 1)) == [
        f"field must have room for a Spark container of {share + 1}Mi, got 'm7g.2xlarge'; "
        f"m7g.2xlarge has {share}Mi next to the logging container"
    ]


def test_a_pod_of_given_memory_can_use_a_whole_node() -> None:
    most = SMALL_MEMORY - 512
    assert problems(memory=Memory(most), least=Memory(most)) == []
    assert len(problems(memory=Memory(most + 1), least=Memory(most + 1))) == 1


def test_headroom_leaves_half_of_the_cores_of_a_pod() -> None:
    assert problems(headroom=Resources(Cpu(SMALL_CPU - 2_000), Memory(0))) == []
    assert problems(headroom=Resources(Cpu(SMALL_CPU - 1_999), Memory(0))) == [
        "field must leave half of the pod's cores after DaemonSets and headroom, got 'm7g.2xlarge'"
    ]


def test_pods_fill_the_type_with_the_fewest_resources() -> None:
    packed = pack((LARGE, SMALL), cores=4, memory=None, headroom=NOTHING)
    assert packed.request == Cpu(SMALL_CPU // 2 - 10)
    assert packed.memory == Memory(SMALL_MEMORY // 2 - 512)
    assert packed.pods == {"m7g.2xlarge": 2, "m7g.8xlarge": 8}
    assert packed.share["m7g.2xlarge"] == pytest.approx(2 * packed.request.millicores / 7_910)
    assert packed.share["m7g.8xlarge"] == pytest.approx(8 * packed.request.millicores / 31_850)


def test_given_memory_limits_the_pods_of_a_node() -> None:
    packed = pack((SMALL,), cores=4, memory=Memory(SMALL_MEMORY - 512), headroom=NOTHING)
    assert packed.pods == {"m7g.2xlarge": 1}
    assert packed.memory == Memory(SMALL_MEMORY - 512)


def test_a_node_below_95_per_cent_has_a_warning() -> None:
    def warnings(share: float) -> tuple[str, ...]:
        return packing_warnings(
            "etl",
            "drivers",
            PodPacking(request=Cpu(1), memory=Memory(1), pods={}, share={"a": share}),
        )

    assert warnings(WELL_PACKED) == ()
    assert warnings(0.949) == (
        "Workload 'etl': drivers of this shape request less than 95% of the allocatable cores of a "
        "full node: a 95%. Choose larger sizes, other cores or memory.",
    )
