"""Children of a supervisor: logs, readiness, restarts, and an end with their owner."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from cdk_emr_eks.simulation.control_plane import process
from cdk_emr_eks.simulation.control_plane.process import (
    NotReady,
    ProcessEnded,
    Supervisor,
    await_ready,
    free_ports,
)
from tests.simulation.waiting import until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups of POSIX")

SHELL: Final = Path("/bin/sh")
SOURCES: Final = Path(__file__).parents[2] / "constructs"

# Starts a child that has a child, prints both ids, then runs the given code.
OWNER: Final = """
import os, sys, time
from pathlib import Path
from cdk_emr_eks.simulation.control_plane.process import Supervisor
owner = Supervisor(Path(sys.argv[1]))
child = owner.spawn("child", Path("/bin/sh"), ["-c", "sleep 600 & echo $!; wait"])
log = owner.logs("child")
while not log.exists() or not log.read_text().strip():
    time.sleep(0.01)
print(child.pid, log.read_text().strip(), flush=True)
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path)
    yield made
    made.stop()


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie does not run.
    status = Path(f"/proc/{pid}/stat")
    try:
        return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def running(pids: list[int]) -> list[int]:
    return [pid for pid in pids if runs(pid)]


def said(supervisor: Supervisor, name: str, text: str) -> bool:
    lines = text.count("\n")
    return text == until(supervisor.logs(name).read_text, lambda found: found.count("\n") >= lines)


# ---- end of the owner


def own(tmp_path: Path, then: str) -> tuple[subprocess.Popen[str], list[int]]:
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER + then, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    process.stdout.close()
    return process, [int(pid) for pid in line.split()]


@pytest.mark.parametrize(
    ("then", "number"),
    [
        ("time.sleep(600)", signal.SIGKILL),
        ("time.sleep(600)", signal.SIGTERM),
        ("os._exit(1)", None),
        ("raise SystemExit", None),
        # A fork without exec keeps every pipe of the owner open.
        ("os.fork() or time.sleep(5)\ntime.sleep(600)", signal.SIGKILL),
    ],
    ids=["kill -9", "kill", "crash", "exit", "kill -9 with a fork"],
)
def test_no_child_outlives_its_owner(tmp_path: Path, then: str, number: int | None) -> None:
    owner, pids = own(tmp_path, then)
    try:
        assert len(pids) == 2
        if number is not None:
            assert [runs(pid) for pid in pids] == [True, True]
            owner.send_signal(number)
        owner.wait(timeout=20)
        until(lambda: running(pids), lambda left: not left)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(owner.pid, signal.SIGKILL)


def test_children_do_not_receive_ctrl_c(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    then = f"\ntry:\n    open({str(ready)!r}, 'w').close()\n    time.sleep(600)\n"
    then += "except KeyboardInterrupt:\n    time.sleep(600)"
    owner, pids = own(tmp_path, then)
    try:
        until(ready.exists)
        # As a terminal does.
        os.killpg(owner.pid, signal.SIGINT)
        time.sleep(0.3)
        assert [runs(pid) for pid in pids] == [True, True]
    finally:
        owner.kill()
        owner.wait()
    until(lambda: running(pids), lambda left: not left)


def test_stop_ends_all_children(supervisor: Supervisor) -> None:
    pids = [supervisor.spawn(name, SHELL, ["-c", "sleep 600"]).pid for name in ("a", "b")]
    supervisor.stop()
    assert not any(runs(pid) for pid in pids)
    # The supervisor ended them.
    supervisor.check()
    # A second time has no effect.
    supervisor.stop()


# ---- one child


def test_all_output_of_a_child_is_in_its_log(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.spawn("a", SHELL, ["-c", "echo out; echo error >&2"])
    assert supervisor.logs("a") == tmp_path / "logs" / "a.log"
    assert said(supervisor, "a", "out\nerror\n")


def test_a_child_has_its_own_environment(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("GOGC", "off")
    supervisor.spawn("a", SHELL, ["-c", "echo $AWS_PROFILE-$MINE-$GOGC"], {"MINE": "1"})
    assert said(supervisor, "a", "-1-400\n")


def test_a_restart_is_the_same_command_in_the_same_log(supervisor: Supervisor) -> None:
    first = supervisor.spawn("a", SHELL, ["-c", "echo $X; sleep 600"], {"X": "x"}).pid
    assert said(supervisor, "a", "x\n")
    assert supervisor.restart("a").pid != first
    assert said(supervisor, "a", "x\nx\n")
    assert not runs(first)


def test_a_killed_child_stays_down_until_it_is_restarted(supervisor: Supervisor) -> None:
    process = supervisor.spawn("a", SHELL, ["-c", "sleep 600"])
    supervisor.kill("a")
    assert not runs(process.pid)
    supervisor.check()
    assert runs(supervisor.restart("a").pid)


def test_the_end_of_a_child_is_reported_with_its_last_output(supervisor: Supervisor) -> None:
    process = supervisor.spawn("a", SHELL, ["-c", "seq 100; echo why >&2; exit 3"])
    process.popen.wait()
    with pytest.raises(ProcessEnded, match=r"(?s)^a ended with code 3.*\n100\nwhy$") as caught:
        supervisor.check()
    assert caught.value.log == supervisor.logs("a")
    assert "\n50\n" not in str(caught.value)


def test_a_running_name_is_refused(supervisor: Supervisor) -> None:
    supervisor.spawn("a", SHELL, ["-c", "sleep 600"])
    with pytest.raises(ValueError, match="'a' is running"):
        supervisor.spawn("a", SHELL, ["-c", "sleep 600"])
    supervisor.kill("a")
    assert runs(supervisor.spawn("a", SHELL, ["-c", "sleep 600"]).pid)


def test_unknown_names_are_refused(supervisor: Supervisor) -> None:
    for act in (supervisor.kill, supervisor.restart):
        with pytest.raises(KeyError):
            act("unknown")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peaks are read from /proc")
def test_peak_memory_is_the_maximum_over_restarts(supervisor: Supervisor) -> None:
    program = Path(sys.executable)
    big = supervisor.spawn("a", program, ["-c", f"x = b'1' * (64 << 20); {wait_forever()}"])
    until(lambda: supervisor.peak_memory()["a"], lambda peak: peak > 64 << 20)
    supervisor.kill("a")
    supervisor.spawn("a", program, ["-c", wait_forever()])
    assert supervisor.peak_memory()["a"] > 64 << 20
    assert big.ended


def wait_forever() -> str:
    return "import time; time.sleep(600)"


# ---- readiness


def test_readiness_is_awaited(supervisor: Supervisor) -> None:
    left = [3]

    def ready() -> None:
        left[0] -= 1
        if left[0]:
            raise NotReady

    process = supervisor.spawn("a", SHELL, ["-c", "sleep 600"], ready=ready)
    assert left == [3]
    await_ready(process, ready, every=0.001)
    assert left == [0]
    left[0] = 2
    supervisor.restart("a")
    assert left == [0]


def never() -> None:
    raise NotReady


def test_waiting_stops_when_the_child_ends(supervisor: Supervisor) -> None:
    process = supervisor.spawn("a", SHELL, ["-c", "echo no port; exit 1"])
    with pytest.raises(ProcessEnded, match=r"(?s)code 1.*no port"):
        await_ready(process, never, seconds=600, every=0.01)


def test_waiting_has_a_timeout(supervisor: Supervisor) -> None:
    process = supervisor.spawn("a", SHELL, ["-c", "sleep 600"])
    with pytest.raises(ProcessEnded, match="a is not ready"):
        await_ready(process, never, seconds=0.05, every=0.01)


def test_errors_of_a_check_are_raised(supervisor: Supervisor) -> None:
    def wrong() -> None:
        raise ZeroDivisionError

    process = supervisor.spawn("a", SHELL, ["-c", "sleep 600"])
    with pytest.raises(ZeroDivisionError):
        await_ready(process, wrong)


# ---- ports


def test_ports_are_free_different_and_outside_of_the_ephemeral_range() -> None:
    found = free_ports(20)
    assert len(set(found)) == 20
    lowest = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first = int(lowest.read_text().split()[0]) if lowest.exists() else 49_152
    assert all(1024 < port < first for port in found)
    with ExitStack() as stack:
        for port in found:
            stack.enter_context(socket.socket()).bind(("127.0.0.1", port))


def test_a_bound_port_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = free_ports(2)
    monkeypatch.setattr(process, "_PORTS", (first, second))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first))
        assert free_ports(2) == (second,)
