"""Run child processes: logs, readiness, restarts, free ports, and an end with this process."""

from __future__ import annotations

import os
import random
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Final

import tenacity

from cdk_emr_eks.simulation.control_plane import watchdog

_LINES_OF_LOG: Final = 15
# More memory for less CPU: Go collects garbage when the heap has grown to five times the live
# memory, not to twice.
# Source: https://go.dev/doc/gc-guide#GOGC
_GO: Final = {"GOGC": "400"}
_PEAK: Final = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


class NotReady(Exception):  # noqa: N818 (a state that passes)
    """Raised by a readiness check while its process is not ready."""


class ProcessEnded(RuntimeError):  # noqa: N818 (what happened, not what is wrong)
    """A process ended by itself, or did not become ready.

    Attributes:
        name: Name of the process.
        log: Log file.
    """

    def __init__(self, name: str, code: int | None, log: Path) -> None:
        self.name = name
        self.log = log
        how = f"ended with code {code}" if code is not None else "is not ready"
        super().__init__(f"{name} {how}; the end of {log}:\n{_tail(log)}")


@dataclass(kw_only=True)
class Process:
    """A child process, and how to restart it.

    Args:
        name: Name of the process and of its log.
        command: The program and its arguments.
        environment: Whole environment of the process.
        log: File for its output, over restarts.
        ready: Check that raises ``NotReady``; None if no caller waits.
        popen: The running process.
        ended: Whether this class ended it.
        peak: Peak memory in bytes, over restarts.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    ready: Callable[[], None] | None = None
    popen: subprocess.Popen[bytes]
    ended: bool = False
    peak: int = field(default=0)

    @property
    def pid(self) -> int:
        """Process id."""
        return self.popen.pid

    def check(self) -> None:
        """Check that the process runs, unless this class ended it.

        Raises:
            ProcessEnded: If it ended by itself.
        """
        code = self.popen.poll()
        if code is not None and not self.ended:
            raise ProcessEnded(self.name, code, self.log)

    def measure(self) -> None:
        """Record its memory, which only a running process has."""
        self.peak = max(self.peak, _peak(self.pid))

    def end(self) -> None:
        """Kill the process and wait for its end."""
        self.measure()
        self.ended = True
        self.popen.kill()
        self.popen.wait()


class Supervisor:
    """Child processes that share a folder of logs, and end with this process.

    All children are in one process group, which ``watchdog`` kills when this process ends.

    Args:
        directory: Folder that gets ``logs/<name>.log``.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._processes: dict[str, Process] = {}
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def spawn(
        self,
        name: str,
        binary: Path,
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        *,
        ready: Callable[[], None] | None = None,
    ) -> Process:
        """Start a child process; do not wait for it.

        Args:
            name: Name of the process for ``restart``, ``kill`` and ``logs``.
            binary: The program.
            args: Its arguments.
            env: Its environment, in addition to HOME, PATH, TMPDIR and GOGC. Other variables of
                this process are not passed on.
            ready: Check for ``restart``, which raises ``NotReady`` until the child is ready.

        Raises:
            ValueError: If a process of this name is running.
        """
        kept = {key: os.environ[key] for key in ("HOME", "PATH", "TMPDIR") if key in os.environ}
        command = (str(binary), *args)
        log = self.logs(name)
        with self._lock:
            known = self._processes.get(name)
            if known is not None and known.popen.poll() is None:
                raise ValueError(f"a process {name!r} is running: restart or kill it")
            environment = {**kept, **_GO, **(env or {})}
            process = Process(
                name=name,
                command=command,
                environment=environment,
                log=log,
                ready=ready,
                popen=self._popen(command, environment, log),
                peak=known.peak if known else 0,
            )
            self._processes[name] = process
        return process

    def kill(self, name: str) -> None:
        """End a process as ``kill -9`` does, and do not restart it.

        Raises:
            KeyError: If there is no process of this name.
        """
        self._processes[name].end()

    def restart(self, name: str) -> Process:
        """Kill a process if it runs, start it in the same way, and wait until it is ready.

        Raises:
            KeyError: If there is no process of this name.
            ProcessEnded: If it ends at once, or does not become ready.
        """
        process = self._processes[name]
        if process.popen.poll() is None:
            process.end()
        with self._lock:
            process.popen = self._popen(process.command, process.environment, process.log)
            process.ended = False
        if process.ready is not None:
            await_ready(process, process.ready)
        return process

    def logs(self, name: str) -> Path:
        """Return the file with the output of a process, over its restarts."""
        return self.directory / "logs" / f"{name}.log"

    def check(self) -> None:
        """Check that all processes run which this class has not ended.

        Raises:
            ProcessEnded: If a process ended by itself.
        """
        for process in tuple(self._processes.values()):
            process.check()

    def peak_memory(self) -> Mapping[str, int]:
        """Return the peak memory of each process so far, in bytes.

        Empty on a system without ``/proc``, such as macOS.
        """
        for process in self._processes.values():
            process.measure()
        return {name: each.peak for name, each in self._processes.items() if each.peak}

    def stop(self) -> None:
        """Kill all processes, the last started first. Their data is not saved."""
        for process in reversed(tuple(self._processes.values())):
            process.end()
        with self._lock:
            if self._watchdog is not None:
                # Closes the pipe.
                self._watchdog.communicate()
                self._watchdog = None

    def _popen(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> subprocess.Popen[bytes]:
        log.parent.mkdir(parents=True, exist_ok=True)
        if self._watchdog is None:
            self._watchdog = _start_watchdog()
        with log.open("ab") as output:
            return _child(command, environment, output, self._watchdog.pid, self.directory)


def _start_watchdog() -> subprocess.Popen[bytes]:
    # As a file, not as a module: it does not import the package, and starts in 20 ms.
    command = [sys.executable, "-I", "-S", watchdog.__file__, str(os.getpid())]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, process_group=0
    )


def _child(
    command: Sequence[str],
    environment: Mapping[str, str],
    output: IO[bytes],
    group: int,
    directory: Path,
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        env=dict(environment),
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        process_group=group,
    )


def await_ready(
    process: Process, ready: Callable[[], None], *, seconds: float = 60, every: float = 0.05
) -> None:
    """Wait until a check no longer raises ``NotReady``.

    Args:
        process: The process that becomes ready.
        ready: The check.
        seconds: Timeout. Two busy cores take ten times as long as idle ones.
        every: Seconds between two checks.

    Raises:
        ProcessEnded: If the process ends, or at the timeout, with the end of its log.
    """

    def attempt() -> None:
        process.check()
        ready()

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(NotReady),
        stop=tenacity.stop_after_delay(seconds),
        wait=tenacity.wait_fixed(every),
    )
    try:
        retrying(attempt)
    except tenacity.RetryError as error:
        raise ProcessEnded(process.name, None, process.log) from error


def _peak(pid: int) -> int:
    try:
        found = _PEAK.search(Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-_LINES_OF_LOG:])


# Below the ports that Linux, macOS and Windows assign to connections.
# Source: https://docs.kernel.org/networking/ip-sysctl.html#ip-variables (ip_local_port_range)
_PORTS: Final = range(20_000, 32_768)


def free_ports(count: int) -> tuple[int, ...]:
    """Return free TCP ports of the loopback interface that no connection can get.

    A program may bind its port minutes later, or again after a restart. By then, the system could
    have assigned a port of the usual range to a connection.
    """
    shuffled = random.sample(_PORTS, len(_PORTS))
    return tuple(islice(filter(_free, shuffled), count))


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
