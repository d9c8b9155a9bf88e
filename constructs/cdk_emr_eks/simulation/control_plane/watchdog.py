"""Kill a group of processes when the process that started it ends, for any reason.

It runs as a program that leads the process group of all children of a ``Supervisor``. It reads a
pipe to which no process writes. When the other end closes by an exit, a crash or ``kill -9``, it
kills its group with itself. That works on Linux and macOS, has no gap between start and
registration, and includes the children of children.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from typing import Final

# A child that the owner forked without exec also holds the end of the pipe. Then the parent is
# checked at this interval.
_SECONDS: Final = 1.0


def watch(pipe: int, parent: int) -> None:
    """Return when the pipe ends or the parent changes."""
    while os.getppid() == parent:
        ready, _, _ = select.select([pipe], [], [], _SECONDS)
        if ready and not os.read(pipe, 1):
            return


if __name__ == "__main__":
    # The owner handles Ctrl-C in the terminal, and stops the group in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watch(sys.stdin.fileno(), int(sys.argv[1]))
    os.killpg(0, signal.SIGKILL)
