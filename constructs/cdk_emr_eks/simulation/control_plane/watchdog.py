"""Ends a group of processes when the process that started it is gone, however it went.

Run as a program: it leads the process group that all children of a ``Supervisor`` are in, and
reads a pipe that nobody writes to. When the other end is closed, be it by an exit, a crash or
``kill -9``, it kills its group, itself included. That works alike on Linux and macOS, leaves no
moment between start and registration, and takes the children of children along.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from typing import Final

_SECONDS: Final = 1.0
# A child that the owner forked and that never became another program holds the pipe's end, too:
# then only the parent that changes tells.


def watch(pipe: int, parent: int) -> None:
    """Return when the pipe ends or the parent is another one."""
    while os.getppid() == parent:
        ready, _, _ = select.select([pipe], [], [], _SECONDS)
        if ready and not os.read(pipe, 1):
            return


if __name__ == "__main__":
    # Ctrl-C in the terminal is for the owner, who stops the group in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watch(sys.stdin.fileno(), int(sys.argv[1]))
    os.killpg(0, signal.SIGKILL)
