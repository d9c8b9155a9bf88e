"""The table of commands in CONTRIBUTING.md is what the Makefile offers."""

from __future__ import annotations

import re
from typing import Final

from tests.docs.blocks import ROOT

# Run by the others, or the contrary of them.
_LEFT_OUT: Final = {"help", "setup", "simulation-programs", "clean"}


def test_the_table_has_every_command_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    offered = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = "".join(line.split(" | ")[0] for line in page.splitlines() if line.startswith("| `make"))
    listed = set(re.findall(r"`make ([a-z-]+)", rows))
    assert len(offered) > 10
    assert listed == offered - _LEFT_OUT
