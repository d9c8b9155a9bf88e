"""Words and names that this repository does not use, with the better wording for each.

Usage: ``python tests/language.py PATH...`` prints every finding below the given files and folders;
without a path it reads the whole repository. ``tests/test_language.py`` keeps the count at zero.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent

SUFFIXES: Final = frozenset(
    {".cff", ".cfg", ".go", ".j2", ".md", ".py", ".pyi", ".sh", ".toml", ".yaml", ".yml"}
)
NAMES: Final = frozenset({"Makefile"})

# This module and its test quote the words. Upstream data and recorded output keep their own.
EXCLUDED: Final = (
    "tests/language.py",
    "tests/test_language.py",
    "tests/contract/data/",
    "tests/data/",
)

# Words of a phrase can stand on two lines: of a comment, or of a string in several parts.
_GAP: Final = r"""(?:[\s#>]|["']\s*\n\s*[rf]{0,2}["'])+"""


@dataclass(frozen=True)
class Word:
    """A word or phrase that is not used, and what to write in its place.

    Attributes:
        phrase: Regular expression of the words, separated by single spaces. Case is ignored.
        better: The better wording.
        exact: Whether upper and lower case differ, as in ``is none`` and ``is None``.
    """

    phrase: str
    better: str
    exact: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        words = self.phrase.replace(" ", _GAP)
        # An underscore separates words too: names are read as sentences are.
        return re.compile(
            rf"(?<![A-Za-z])(?:{words})(?![A-Za-z])", re.NOFLAG if self.exact else re.IGNORECASE
        )


@dataclass(frozen=True)
class OldName:
    """A class or function that was renamed and must not be defined again."""

    name: str
    better: str

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(rf"^[ ]*(?:class|def|async def) {self.name}\b", re.MULTILINE)


@dataclass(frozen=True)
class Finding:
    """One place with a word or name that is not used."""

    path: Path
    line: int
    found: str
    better: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.found!r}: {self.better}"


WORDS: Final = (
    Word("anew", "write 'again', or 'new'"),
    Word("besides?", "write 'next to', 'in addition to' or 'with'"),
    Word("nobody", "write 'no role', 'no user', 'no IAM principal', whichever it is"),
    Word("somebody", "name the role, user or program"),
    Word("whoever", "name the role or user: 'a user who', 'the caller'"),
    Word("told", "write 'reported', 'said' or 'passed'"),
    Word("tells", "write 'reports', 'says' or 'shows'"),
    Word("of (?:one's|its|their|your|our|his|her|my) own", "write 'own', 'its' or 'separate'"),
    Word("(?:that|which) (?:is|are|was|were) there", "write 'existing', or 'installed'"),
    Word("for ever", "write 'without end', 'never expires' or 'permanently'"),
    Word("taken for", "write 'treated as'"),
    Word("knows? no", "write 'has no' or 'does not support'"),
    Word("is none", "write 'there is no' or 'no ... exists'", exact=True),
    Word("by value", "name the value: 'by name', 'sorted by amount'"),
    Word("bears", "write 'has' or 'carries'"),
    Word("likewise", "write 'also', or repeat the verb"),
    Word("precisely", "write 'exactly', or leave it out"),
)

OLD_NAMES: Final = (
    OldName("Batch", "SchedulingBatch"),
    OldName("Freeze", "DriftFreeze"),
    OldName("Limits", "NodePoolLimits"),
    OldName("LogLevel", "KarpenterLogLevel"),
    OldName("LogType", "ControlPlaneLogType"),
    OldName("Made", "ResourceValues"),
    OldName("Parameter", "JobParameter"),
    OldName("ParameterType", "JobParameterType"),
    OldName("Permission", "IamPermission"),
    OldName("Played", "SimulationRecord"),
    OldName("Problem", "ConfigProblem"),
    OldName("Role", "SparkRole"),
    OldName("Site", "DeployTarget"),
    OldName("SizedExecutor", "SparkPodSize"),
    OldName("Stage", "SparkStage or SimulationEnvironment"),
    OldName("Struck", "FaultRecord"),
    OldName("Surroundings", "ChartContext, JobRuntime or ResolverContext"),
    OldName("Watching", "ProgressHooks"),
    OldName("accept", "suppress, the word of cdk-nag and checkov"),
    OldName("driver_shape", "driver_size"),
    OldName("executor_shape", "executor_size"),
    OldName("keep_off", "reserve"),
)


def findings(path: Path, text: str) -> list[Finding]:
    """Return what a text has that is not used, in the order of its lines.

    Args:
        path: Path to report. Names of Python files are checked too.
        text: The text of the file.
    """
    checks: Iterable[Word | OldName] = WORDS
    if path.suffix == ".py":
        checks = (*WORDS, *OLD_NAMES)
    if path.name == "CHANGELOG.md":
        # It quotes names that were renamed. The lines stay as they are counted.
        text = re.sub(r"`[^`\n]*`", "``", text)
    found = [
        Finding(path, text.count("\n", 0, hit.start()) + 1, " ".join(hit[0].split()), check.better)
        for check in checks
        for hit in check.pattern.finditer(text)
    ]
    return sorted(found, key=lambda each: (each.line, each.found))


def files(paths: Iterable[Path] = ()) -> Iterator[Path]:
    """Yield the text files of the repository below some paths, relative to its root.

    Args:
        paths: Files and folders; none stands for the whole repository.
    """
    below = [str(path.resolve()) for path in paths] or [str(ROOT)]
    # Files that git ignores are left out; new ones that are not yet added are read.
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"]
    done = subprocess.run([*command, *below], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in sorted(set(done.stdout.split("\0")) - {""}):
        path = Path(name)
        is_text = path.suffix in SUFFIXES or path.name in NAMES
        # A deleted file stays in git's list until the deletion is staged.
        if is_text and not name.startswith(EXCLUDED) and (ROOT / path).is_file():
            yield path


def main(arguments: list[str]) -> int:
    """Print every finding below the given paths; return 1 if there is any."""
    found = [
        finding
        for path in files(map(Path, arguments))
        for finding in findings(path, (ROOT / path).read_text(encoding="utf-8"))
    ]
    for finding in found:
        print(finding)
    print(f"{len(found)} findings", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
