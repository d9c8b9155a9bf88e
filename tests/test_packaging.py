"""What a user gets from `pip install cdk-emr-eks`: our package, and no other."""

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from email import message_from_string
from email.message import Message
from importlib.resources import files
from pathlib import Path
from typing import Final

import pytest

import cdk_emr_eks

ROOT: Final = Path(__file__).parent.parent
LIBRARY: Final = ROOT / "constructs" / "cdk_emr_eks"

DEPENDENCIES: Final = (
    "aws-cdk-lambda-layer-kubectl-v36",
    "aws-cdk-lib",
    "cdk8s",
    "cdk8s-plus-27",
    "constructs",
)

LOOK: Final = """
import json, sys
import cdk_emr_eks, constructs
print(json.dumps([cdk_emr_eks.__file__, constructs.__file__, sorted(sys.modules)]))
"""

# What the extras bring, by import name.
OF_EXTRAS: Final = frozenset(
    {"cel", "click", "jsonschema", "pytest", "rich", "syrupy", "yaml"}
    | {"boto3", "cryptography", "filelock", "kubernetes", "moto", "platformdirs", "tenacity"}
)


@pytest.fixture(scope="session")
def dist(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of sdist and wheel: that of ``--release``, or built by the locked build backend.

    The wheel is built from the sdist, without a network, so an incomplete sdist shows too.
    """
    if given := request.config.getoption("--release"):
        return Path(given)
    folder = tmp_path_factory.mktemp("dist")
    command = (sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder))
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True, text=True)
    return folder


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    (found,) = dist.glob("cdk_emr_eks-*.whl")
    return found


@pytest.fixture(scope="session")
def sdist(dist: Path) -> Path:
    (found,) = dist.glob("cdk_emr_eks-*.tar.gz")
    return found


@pytest.fixture(scope="session")
def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="session")
def metadata(wheel: Path, names: list[str]) -> Message:
    (name,) = (name for name in names if name.endswith(".dist-info/METADATA"))
    with zipfile.ZipFile(wheel) as archive:
        return message_from_string(archive.read(name).decode())


def test_the_wheel_holds_our_package_alone(names: list[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"cdk_emr_eks"}


def test_the_wheel_holds_every_file_of_the_library(names: list[str]) -> None:
    skipped = {"__pycache__"}
    here = {
        path.relative_to(LIBRARY.parent).as_posix()
        for path in LIBRARY.rglob("*")
        if path.is_file() and not skipped & set(path.parts)
    }
    assert {name for name in names if not name.split("/")[0].endswith(".dist-info")} == here
    assert "cdk_emr_eks/py.typed" in here
    assert any("/data/" in name for name in here), "rules and schemas are data next to the code"
    go = "cdk_emr_eks/simulation/programs/go/karpenter"
    assert {f"{go}/go.mod", f"{go}/go.sum", f"{go}/main.go"} <= here, "built where it is installed"


def test_the_sdist_builds_the_library_and_nothing_else(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        tops = {Path(name).parts[1] for name in archive.getnames() if len(Path(name).parts) > 1}
    needed = {"constructs", "CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml", "PKG-INFO"}
    # hatchling adds .gitignore, which says what it leaves out.
    assert tops == needed | {".gitignore"}


def test_the_metadata_names_authors_pages_and_version(metadata: Message) -> None:
    assert metadata["Version"] == cdk_emr_eks.__version__
    assert metadata["Author"]
    assert metadata["Description-Content-Type"] == "text/markdown"
    urls = dict(line.split(", ") for line in metadata.get_all("Project-URL", []))
    assert set(urls) == {"Homepage", "Documentation", "Changelog", "Issues"}


def test_the_changelog_has_a_section_of_the_version(
    request: pytest.FixtureRequest, metadata: Message
) -> None:
    version = metadata["Version"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = request.config.getoption("--release") is not None
    assert f"\n## [{version}] - " in changelog or (
        not released and "\n## [Unreleased]" in changelog
    )
    assert request.config.getoption("--release-tag") in (None, f"v{version}")


def test_the_library_depends_on_the_cdk_alone(metadata: Message) -> None:
    required = metadata.get_all("Requires-Dist", [])
    plain = [line for line in required if "extra ==" not in line]
    # Requires-Dist keeps the dot of the kubectl layer's name; installers take '.' for '-'.
    found = sorted(_name(line) for line in plain)
    assert tuple(found) == DEPENDENCIES
    # A major version may break users: each dependency says where it ends.
    assert [line for line in plain if "<" not in line] == []


def test_each_extra_stands_for_something(metadata: Message) -> None:
    assert set(metadata.get_all("Provides-Extra", [])) == {
        "cli",
        "manifests",
        "simulation",
        "simulation-spark",
        "testing",
    }
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"


def test_it_imports_where_nothing_else_of_ours_is(wheel: Path, tmp_path: Path) -> None:
    """A new environment, with the packages of this one but for our own, which is the wheel."""
    home = tmp_path / "clean"
    venv.create(home, with_pip=False)
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    site = Path(_run(python, "import sysconfig; print(sysconfig.get_path('purelib'))"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    here = sysconfig.get_path("purelib")
    # A path line, unlike site.addsitedir, does not follow the .pth of our editable install.
    (site / "dependencies.pth").write_text(f"{here}\n", encoding="utf-8")
    ours, theirs, loaded = json.loads(_run(python, LOOK, cwd=tmp_path))
    assert Path(ours).is_relative_to(site)
    assert Path(theirs) == Path(here) / "constructs" / "__init__.py"
    assert OF_EXTRAS & set(loaded) == set(), "needed without the extra that brings it"


def test_the_command_is_installed(wheel: Path, names: list[str]) -> None:
    (name,) = (name for name in names if name.endswith("entry_points.txt"))
    with zipfile.ZipFile(wheel) as archive:
        assert "emr-eks = cdk_emr_eks.cli:main" in archive.read(name).decode().splitlines()


def test_locks_name_no_registry_but_the_public_one() -> None:
    for path in (ROOT / "uv.lock", ROOT / "tools" / "checkov" / "uv.lock"):
        packages = tomllib.loads(path.read_text(encoding="utf-8"))["package"]
        registries = {item["source"].get("registry") for item in packages} - {None}
        assert registries == {"https://pypi.org/simple"}, path
    npm = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    assert [item for item in npm["packages"].values() if "resolved" in item] == []


def test_feature_flags_are_those_that_the_cdk_recommends() -> None:
    """Read from the installed aws-cdk-lib, so that an upgrade of it brings its new flags along."""
    (bundle,) = Path(str(files("aws_cdk._jsii"))).glob("aws-cdk-lib@*.tgz")
    with tarfile.open(bundle) as archive:
        member = archive.extractfile("package/recommended-feature-flags.json")
        assert member is not None
        recommended = json.load(member)
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    flags = {key: value for key, value in context.items() if key.startswith("@")}
    # See CONTRIBUTING.md: the platform must outlive its tenants.
    assert flags == {**recommended, "@aws-cdk/core:defaultCrossStackReferences": "strong"}
    assert list(flags) == sorted(flags)


def _name(requirement: str) -> str:
    end = next((i for i, c in enumerate(requirement) if c in " <>=!~;["), len(requirement))
    return requirement[:end].lower().replace(".", "-").replace("_", "-")


def _run(python: Path, code: str, cwd: Path | None = None) -> str:
    # Neither the tree of this repository nor a path of the caller's.
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [str(python), "-c", code], env=env, cwd=cwd, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()
