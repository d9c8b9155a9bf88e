"""Measure one process with everything it starts: wall time, processor time, peak memory."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SAMPLE_SECONDS: Final = 0.05
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One run of one app.

    Args:
        wall_s: Seconds from the start of the process to its end.
        cpu_s: User and system seconds of the process and all its descendants (jsii's Node too).
        peak_rss_mib: Most MiB resident at one moment, summed over the process and its descendants,
            sampled every 50 ms. Pages shared between processes count once for each.
    """

    wall_s: float
    cpu_s: float
    peak_rss_mib: float


class MeasureError(RuntimeError):
    """A run failed, or could not be measured whole."""


def measure(command: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> Run:
    """Run a command to its end and measure it.

    Raises:
        MeasureError: If it fails, or leaves a process behind whose time would be missing.
    """
    log = cwd / "run.log"
    with log.open("wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, env=dict(env), cwd=cwd, stdout=output, stderr=output, start_new_session=True
        )
        sampler = _Sampler(process.pid)
        sampler.start()
        # wait4 gives the times of this child and of all that it waited for itself.
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    sampler.join()
    if process.returncode != 0:
        tail = log.read_text(errors="replace")[-4000:]
        raise MeasureError(f"{' '.join(command)} ended with {process.returncode}:\n{tail}")
    if _group_is_alive(process.pid):
        raise MeasureError(f"{' '.join(command)} left a process running")
    return Run(
        wall_s=wall,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_rss_mib=sampler.peak_bytes / 2**20,
    )


def _group_is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


class _Sampler(threading.Thread):
    """Follows the memory of a process tree until its root has ended."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self._root = root

    def run(self) -> None:
        while (resident := sum(map(_resident_bytes, _tree(self._root)))) > 0:
            self.peak_bytes = max(self.peak_bytes, resident)
            time.sleep(SAMPLE_SECONDS)


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found = children.read_text().split()
        except OSError:  # the thread ended between the listing and the reading
            continue
        for child in found:
            yield from _tree(int(child))


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except OSError:  # it has ended
        return 0
