"""Wait in tests for caches, controllers and processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

import pytest

# Timeout of tests: two busy cores take ten times as long as idle ones.
SECONDS: Final = 120
EVERY: Final = 0.1
T = TypeVar("T")


def until(ask: Callable[[], T], holds: Callable[[T], object] = bool) -> T:
    """Repeat until the answer is right, and return it; fail with the last answer."""
    end = time.monotonic() + SECONDS
    while not holds(found := ask()):
        if time.monotonic() > end:
            pytest.fail(f"not within {SECONDS} seconds; found last: {found!r}")
        time.sleep(EVERY)
    return found
