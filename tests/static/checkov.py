"""checkov over synthesized templates, run as a program of a separate environment.

It pins old versions of what this project uses, so it lives in ``tools/checkov`` (``make test``
installs it). One run takes several seconds to start: give it all templates at once.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
Results = dict[str, list[Any]]  # as checkov prints them
PROGRAM: Final = ROOT / "tools/checkov/.venv/bin/checkov"


def checkov_findings(templates: Sequence[Path]) -> tuple[str, ...]:
    """Return failed checks, skips without a reason and skips of nothing, one sentence each.

    Args:
        templates: Template files.

    Raises:
        RuntimeError: If checkov is not installed or does not run.
    """
    if not PROGRAM.exists():
        raise RuntimeError(f"{PROGRAM} is missing: run `make test`, which installs it")
    command = [str(PROGRAM), "--framework", "cloudformation", "--output", "json"]
    command += ["--compact", "--skip-download"]
    for template in templates:
        command += ["--file", str(template)]
    # 1 says that checks failed.
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode not in (0, 1) or not answer.stdout.strip():
        raise RuntimeError(f"checkov ended with {answer.returncode}: {answer.stderr[-2000:]}")
    output = json.loads(answer.stdout)
    reports = output if isinstance(output, list) else [output]
    # A run that finds no resource it knows gives a summary without results.
    results = [report["results"] for report in reports if "results" in report]
    declared = {skip for template in templates for skip in _declared(template)}
    return (*_failed(results), *_skips(results, declared))


def _declared(template: Path) -> Iterator[tuple[Path, str, str, str]]:
    """Yield the file, resource, check and reason of each skip that a template declares."""
    # Apps have stacks of the same name, so files are identified by their paths.
    file = template.resolve()
    for logical, resource in json.loads(template.read_text()).get("Resources", {}).items():
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", []):
            name = f"{resource['Type']}.{logical}"
            yield file, name, skip["id"], skip.get("comment", "")


def _failed(results: Sequence[Results]) -> Iterator[str]:
    for result in results:
        yield from (f"{text}: could not be read" for text in result["parsing_errors"])
        for check in result["failed_checks"]:
            name = f"{Path(check['file_path']).name}: {check['resource']}: {check['check_id']}"
            yield f"{name}: {check['check_name']}"


def _skips(results: Sequence[Results], declared: set[tuple[Path, str, str, str]]) -> Iterator[str]:
    used = {
        (Path(check["file_abs_path"]).resolve(), check["resource"], check["check_id"])
        for result in results
        for check in result["skipped_checks"]
    }
    for file, resource, check, reason in sorted(declared):
        if not reason.strip():
            yield f"{file.name}: {resource}: {check}: skipped without a reason"
        if (file, resource, check) not in used:
            yield f"{file.name}: {resource}: {check}: skipped, though it is not applied there"
