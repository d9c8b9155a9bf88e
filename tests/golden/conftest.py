"""Golden files: one readable YAML file for each thing that the default workloads become."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex


class _Dumper(yaml.SafeDumper):
    """Writes no anchors: a golden file is read by people."""

    def ignore_aliases(self, data: object) -> bool:
        return True


class GoldenFile(SingleFileSnapshotExtension):
    """Writes each snapshot to ``tests/golden/<name>.yaml``, with its documents in order."""

    file_extension = "yaml"
    _write_mode = WriteMode.TEXT

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        return str(Path(test_location.filepath).parent / "files")

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:
        return str(index)

    def serialize(self, data: Any, **options: Any) -> str:
        documents = [_plain(each) for each in data]
        return yaml.dump_all(
            documents, Dumper=_Dumper, sort_keys=False, explicit_start=True, width=100
        )


def _plain(value: Any) -> Any:
    if hasattr(value, "items"):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Compare documents with a golden file: ``assert documents == golden(name="...")``."""
    return snapshot.use_extension(GoldenFile)
