"""Custom images: their content, their base and architectures, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.labels import Architecture
from cdk_emr_eks.model.images.emr_images import ImageKind, base_image
from cdk_emr_eks.model.images.image import (
    ImageBuilder,
    ImageSpec,
    ImageStore,
    read_requirements,
    requirement_problems,
)
from cdk_emr_eks.model.images.image_uri import EcrRepository, base_uri, ecr_repository, image_uri

DIGEST = "sha256:" + "0a" * 32
ECR = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
PANDAS = "pandas==2.2.3"
DOCKERFILE = "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nUSER root\nRUN true\nUSER hadoop:hadoop\n"
ARM, AMD = Architecture.ARM64, Architecture.AMD64


def image(**values: Any) -> ImageSpec:
    given: dict[str, Any] = {"name": "science", "requirements": (PANDAS,)}
    return ImageSpec(**(given | values))


def refused(make: Callable[[], object]) -> ConfigError:
    with pytest.raises(ConfigError) as raised:
        make()
    return raised.value


# ---- what it is made of


@pytest.mark.parametrize(
    ("kind", "label", "region", "uri"),
    [
        (
            ImageKind.SPARK,
            "emr-7.14.0-latest",
            None,
            "public.ecr.aws/emr-on-eks/spark/emr-7.14.0:latest",
        ),
        (
            ImageKind.NOTEBOOK_PYTHON,
            "emr-7.12.0-20251111",
            "eu-west-1",
            "public.ecr.aws/emr-on-eks/notebook-python/emr-7.12.0:20251111",
        ),
        (
            ImageKind.SPARK,
            "emr-spark-8.0.0-latest",
            "us-east-1",
            "public.ecr.aws/emr-on-eks/spark/emr-spark-8.0.0:latest",
        ),
        (
            ImageKind.NOTEBOOK_SPARK,
            "emr-7.14.0-latest",
            "cn-north-1",
            "068337069695.dkr.ecr.cn-north-1.amazonaws.com.cn/notebook-spark/emr-7.14.0:latest",
        ),
        (
            ImageKind.SPARK,
            "emr-7.14.0-latest",
            "us-gov-west-1",
            "299385240661.dkr.ecr.us-gov-west-1.amazonaws.com/spark/emr-7.14.0:latest",
        ),
    ],
)
def test_the_uri_of_emrs_image_depends_on_release_and_region(
    kind: ImageKind, label: str, region: str | None, uri: str
) -> None:
    assert base_image(kind, label, region) == uri
    assert base_uri("base", uri) == ()


def test_a_private_repository_is_read_from_its_uri() -> None:
    wanted = EcrRepository(account="111122223333", region="eu-west-1", name="team/spark")
    assert ecr_repository(f"{ECR}/team/spark@{DIGEST}") == wanted
    assert ecr_repository(f"{ECR}.cn/team/spark:1") == wanted
    for other in ("public.ecr.aws/emr-on-eks/spark/emr-7.14.0:latest", "ghcr.io/a/b:1", "b:1"):
        assert ecr_repository(other) is None


def test_images_of_jobs_have_both_architectures_and_of_notebooks_amd64() -> None:
    assert image().resolved_architectures() == (AMD, ARM)
    assert image(architectures=(ARM, AMD, ARM)).resolved_architectures() == (AMD, ARM)
    assert image(architectures=(ARM,)).resolved_architectures() == (ARM,)
    assert image(kind=ImageKind.NOTEBOOK_SPARK).resolved_architectures() == (AMD,)


def test_the_construct_determines_the_kind_of_an_image() -> None:
    notebooks = (ImageKind.NOTEBOOK_SPARK, ImageKind.NOTEBOOK_PYTHON)
    assert image().with_kind(*notebooks).kind is ImageKind.NOTEBOOK_SPARK
    python = image(kind=ImageKind.NOTEBOOK_PYTHON).with_kind(*notebooks)
    assert python.kind is ImageKind.NOTEBOOK_PYTHON
    assert refused(lambda: image(kind=ImageKind.SPARK).with_kind(*notebooks)).fields == ("kind",)
    arm = image(architectures=(ARM,))
    assert arm.with_kind(ImageKind.SPARK).resolved_architectures() == (ARM,)
    assert refused(lambda: arm.with_kind(*notebooks)).fields == ("architectures",)


# ---- what is refused


def with_file(folder: Path, name: str, text: str = "") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "Science"}, "name"),
        ({"name": ""}, "name"),
        ({"release_label": "emr-6.8.0-latest"}, "release_label"),
        ({"release_label": "7.14.0"}, "release_label"),
        ({"architectures": ()}, "architectures"),
        ({"architectures": (AMD, ARM), "kind": ImageKind.NOTEBOOK_PYTHON}, "architectures"),
        ({"architectures": ("x86",)}, "architectures"),
        ({"base": "spark:latest"}, "base"),
        ({"base": f"{ECR}/spark"}, "base"),
        ({"base": "${Token[TOKEN.12]}"}, "base"),
        ({"base": f"{ECR}/spark@sha256:12"}, "base"),
        ({"base": f"{ECR}/spark:1 --build-arg X=1"}, "base"),
        ({"base": f"{ECR}/{'s' * 160}:1"}, "base"),
        ({"requirements": ()}, "directory"),
        ({"directory": Path("here")}, "directory"),
        ({"directory": Path("here"), "requirements": ()}, "directory"),
        ({"requirements": Path("none.txt")}, "requirements"),
        ({"jars": (Path("none.jar"),)}, "jars"),
        ({"requirements": "pandas"}, "requirements"),
    ],
)
def test_invalid_values_are_refused(values: dict[str, Any], field: str) -> None:
    assert field in refused(lambda: image(**values)).fields


def test_an_old_release_can_have_another_base() -> None:
    old = image(release_label="emr-6.8.0-latest", base=f"{ECR}/spark/emr-6.8.0:latest")
    assert old.base is not None


def test_jars_are_jars_of_different_names(tmp_path: Path) -> None:
    jar = with_file(tmp_path, "a.jar")
    (tmp_path / "other").mkdir()
    same = with_file(tmp_path / "other", "a.jar")
    text = with_file(tmp_path, "a.txt")
    assert ImageSpec(name="i", jars=(jar,)).jars == (jar,)
    assert refused(lambda: ImageSpec(name="i", jars=(text,))).fields == ("jars",)
    assert "'a.jar'" in str(refused(lambda: ImageSpec(name="i", jars=(jar, same))))


def test_a_directory_needs_a_dockerfile_that_emr_can_run(tmp_path: Path) -> None:
    def make() -> ImageSpec:
        return ImageSpec(name="i", directory=tmp_path)

    assert str(tmp_path / "Dockerfile") in str(refused(make))
    path = with_file(tmp_path, "Dockerfile", DOCKERFILE)
    assert make().directory == tmp_path
    path.write_text(DOCKERFILE.replace("USER hadoop:hadoop\n", ""))
    assert "must end with 'USER hadoop:hadoop'" in str(refused(make))


@pytest.mark.parametrize(
    "timeout",
    [
        timedelta(minutes=4),
        timedelta(hours=8, minutes=1),
        timedelta(minutes=10, seconds=1),
    ],
)
def test_a_build_outside_of_five_minutes_to_eight_hours_is_refused(timeout: timedelta) -> None:
    assert refused(lambda: ImageBuilder(timeout=timeout)).fields == ("timeout",)


def test_a_build_may_take_five_minutes_to_eight_hours() -> None:
    for timeout in (timedelta(minutes=5), timedelta(hours=8)):
        assert ImageBuilder(timeout=timeout).timeout == timeout
    assert ImageBuilder().timeout == timedelta(minutes=45)


def test_a_repository_keeps_two_to_a_hundred_builds() -> None:
    for number in (1, 101):
        assert refused(lambda n=number: ImageStore(images=n)).fields == ("images",)  # type: ignore[misc]
    for number in (2, 100):
        assert ImageStore(images=number).images == number
    assert (ImageStore().images, ImageStore().retain) == (10, False)


def test_a_base_has_at_most_two_hundred_characters() -> None:
    longest = f"{ECR}/{'s' * (200 - len(ECR) - 3)}:1"
    assert len(longest) == 200
    assert base_uri("base", longest) == ()
    assert base_uri("base", longest + "1")[0].rule == "must be at most 200 characters"


def test_a_directory_excludes_requirements_and_jars() -> None:
    here = Path("here")
    for values in ({"requirements": (PANDAS,)}, {"jars": (here,)}):
        error = refused(lambda v=values: ImageSpec(name="i", directory=here, **v))  # type: ignore[misc]
        assert "directory must be given, or else requirements or jars, got 'both'" in str(error)
    assert str(refused(lambda: ImageSpec(name="i"))) == (
        "Image 'i': directory must be given, or else requirements or jars."
    )


# ---- requirements


GOOD = (
    PANDAS,
    "pandas == 2.2.3",
    "boto3[crt]==1.40.0",
    "torch==2.5.1+cpu",
    "importlib-metadata==8.0.0 ; python_version < '3.10'",
    f"numpy==2.0.2 --hash={DIGEST} --hash={DIGEST}",
)
BAD = (
    "pandas",
    "pandas>=2",
    "pandas==2.*",
    "-r other.txt",
    "--index-url https://example.com",
    "pandas==2.2.3 --index-url https://example.com",
    "pandas==2.2.3\n--index-url https://example.com",
    "pandas==2.2.3; python_version < '3' --extra-index-url=https://example.com",
    "pandas @ https://example.com/pandas.whl",
    "git+https://example.com/pandas",
    "./pandas.whl",
    "pandas==2.2.3 && curl example.com",
    "pandas==$(id)",
    "pandas==2.2.3 --hash=md5:12",
    "",
)


def test_exact_requirements_pass() -> None:
    for line in GOOD:
        assert requirement_problems("requirements", (line,)) == ()


@pytest.mark.parametrize("line", BAD)
def test_ranges_options_and_addresses_are_refused(line: str) -> None:
    assert refused(lambda: image(requirements=(line,))).fields == ("requirements",)


def test_a_package_is_named_once_without_markers() -> None:
    # pip: "Double requirement given"; a build would fail after minutes.
    twice = ("Foo.Bar==1.0", "foo_bar[extra] == 2.0", "numpy==1.26.4")
    (problem,) = requirement_problems("requirements", twice)
    assert (problem.rule.partition(",")[0], problem.got) == ("must name a package once", "foo-bar")
    marked = ("numpy==1.26.4; python_version < '3.10'", "numpy==2.1.0; python_version >= '3.10'")
    assert requirement_problems("requirements", marked) == ()


def test_a_requirements_file_is_read_as_pip_reads_it(tmp_path: Path) -> None:
    text = f"""\
# made by uv
{PANDAS} \\
    --hash={DIGEST} \\
    --hash={DIGEST}
    # via science

boto3[crt]==1.40.0  # for S3
"""
    path = with_file(tmp_path, "requirements.txt", text)
    lines = (f"{PANDAS} --hash={DIGEST} --hash={DIGEST}", "boto3[crt]==1.40.0")
    assert read_requirements(path) == lines
    assert image(requirements=path).requirement_lines() == lines
    path.write_text("# nothing\n")
    assert refused(lambda: image(requirements=path)).fields == ("requirements",)
    path.write_text("--index-url https://example.com\n")
    assert refused(lambda: image(requirements=path)).fields == ("requirements",)


# ---- URIs of what pods run


@pytest.mark.parametrize(
    "uri",
    [f"{ECR}/a/b@{DIGEST}", f"{ECR}/a:1.2@{DIGEST}", "${Token[TOKEN.7]}", "${Token[A.1]}/a:1"],
)
def test_an_image_with_digest_or_token_passes(uri: str) -> None:
    assert image_uri("image", uri) == ()


NO_DIGEST = ("", "spark", f"{ECR}/a", f"{ECR}/a:latest", f"{ECR}/a:1.2", f"{ECR}/a@sha256:12")
NO_URI = (f"a@{DIGEST}", f"{ECR}/A@{DIGEST}", f"{ECR}/a@{DIGEST}\n", f"https://{ECR}/a@{DIGEST}")


@pytest.mark.parametrize("uri", [*NO_DIGEST, *NO_URI])
def test_an_image_without_digest_is_refused_by_its_field(uri: str) -> None:
    assert [problem.field for problem in image_uri("image", uri)] == ["image"]
