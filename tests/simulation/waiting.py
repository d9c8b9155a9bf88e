"""How tests wait for what takes a moment: caches, controllers, processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

import pytest

# How long a test waits: two busy cores take ten times as long as idle ones.
SECONDS: Final = 120
EVERY: Final = 0.1
T = TypeVar("T")


def until(ask: Callable[[], T], holds: Callable[[T], object] = bool) -> T:
    """Ask until the answer is as it should be, and return it; fail with the last answer."""
    end = time.monotonic() + SECONDS
    while not holds(found := ask()):
        if time.monotonic() > end:
            pytest.fail(f"not within {SECONDS} seconds; found last: {found!r}")
        time.sleep(EVERY)
    return found
