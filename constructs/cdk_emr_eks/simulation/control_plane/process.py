"""Child processes that are logged, awaited, restarted, and never outlive us."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import tenacity

from cdk_emr_eks.simulation.control_plane import watchdog

__all__ = ["NotReady", "Process", "ProcessEnded", "Supervisor", "await_ready"]

_LINES_OF_LOG: Final = 15
_GO: Final = {"GOGC": "400"}
# Memory for time: a heap grows to five times what is in use before it is collected, not twice.
# Source: https://go.dev/doc/gc-guide#GOGC
_PEAK: Final = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


class NotReady(Exception):  # noqa: N818 (a state that passes)
    """Raised by a check of readiness for as long as its process is not ready."""


class ProcessEnded(RuntimeError):  # noqa: N818 (what happened, not what is wrong)
    """A process ended that nobody had ended.

    Attributes:
        name: The process.
        log: Its whole log.
    """

    def __init__(self, name: str, code: int | None, log: Path) -> None:
        self.name = name
        self.log = log
        how = f"ended with code {code}" if code is not None else "is not ready"
        super().__init__(f"{name} {how}; the end of {log}:\n{_tail(log)}")


@dataclass(kw_only=True)
class Process:
    """A child process, and how to start it again.

    Args:
        name: Name of the process and of its log.
        command: The program and its arguments.
        environment: Its whole environment.
        log: File that takes all it says, over restarts.
        ready: Check that raises ``NotReady``; None where nobody waits.
        popen: The running process.
        ended: Whether we ended it.
        peak: Most memory it had, in bytes, over restarts.
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
        """Its process id."""
        return self.popen.pid

    def check(self) -> None:
        """Do nothing while it runs, or after we ended it.

        Raises:
            ProcessEnded: If it ended by itself.
        """
        code = self.popen.poll()
        if code is not None and not self.ended:
            raise ProcessEnded(self.name, code, self.log)

    def measure(self) -> None:
        """Take note of its memory: only a running process tells."""
        self.peak = max(self.peak, _peak(self.pid))

    def end(self) -> None:
        """Kill it and wait for it."""
        self.measure()
        self.ended = True
        self.popen.kill()
        self.popen.wait()


class Supervisor:
    """Child processes that share a folder of logs, and a fate with us.

    All children are in one process group, which ``watchdog`` kills when we are gone.

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
            name: A name of one's own choice, for ``restart``, ``kill`` and ``logs``.
            binary: The program.
            args: Its arguments.
            env: Its environment besides HOME, PATH, TMPDIR and Go's pace of collecting garbage: the
                rest of ours stays ours.
            ready: Check for ``restart`` to await; it raises ``NotReady`` until the child is ready.

        Raises:
            ValueError: If a process of that name is running.
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
        """End a process as ``kill -9`` does, and leave it so.

        Raises:
            KeyError: If there is no process of that name.
        """
        self._processes[name].end()

    def restart(self, name: str) -> Process:
        """Kill a process if it runs, start it as it was started, and wait until it is ready.

        Raises:
            KeyError: If there is no process of that name.
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
        """Return the file with all that a process said, over its restarts."""
        return self.directory / "logs" / f"{name}.log"

    def check(self) -> None:
        """Do nothing while every process runs that nobody ended.

        Raises:
            ProcessEnded: If one ended by itself.
        """
        for process in tuple(self._processes.values()):
            process.check()

    def peak_memory(self) -> Mapping[str, int]:
        """Return the most memory that each process had so far, in bytes.

        Empty where the system has no ``/proc``, as on macOS.
        """
        for process in self._processes.values():
            process.measure()
        return {name: each.peak for name, each in self._processes.items() if each.peak}

    def stop(self) -> None:
        """Kill all processes, last started first. What they hold is meant to be lost."""
        for process in reversed(tuple(self._processes.values())):
            process.end()
        with self._lock:
            if self._watchdog is not None:
                self._watchdog.communicate()  # closes the pipe
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
    # As a file, not as a module: nothing of the package is imported, and it starts in 20 ms.
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
        process: Whose readiness it is.
        ready: The check.
        seconds: How long to wait: two busy cores take ten times as long as idle ones.
        every: Seconds between two checks.

    Raises:
        ProcessEnded: If the process ends, or the time does, with the end of its log.
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
