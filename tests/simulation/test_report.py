"""Reports: findings, JSON, and a page in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.simulation.jobs.record import JobOutcome
from cdk_emr_eks.simulation.report.document import SCHEMA_VERSION, document
from cdk_emr_eks.simulation.report.findings import Level, findings
from cdk_emr_eks.simulation.report.gates import CONDITIONS, Gates
from cdk_emr_eks.simulation.report.page import SERIES, Chart, charts, page
from cdk_emr_eks.simulation.report.results import LostDriver, PackingResult, Results
from cdk_emr_eks.simulation.report.table import print_results, progress_line
from tests.simulation.results_builder import ZONES, job, results, sample

CHOSEN = LostDriver(reason="evicted", by_choice="Underutilized")
TAKEN = LostDriver(reason="zone lost", by_choice="")


def said(found: Results, level: Level) -> str:
    return "\n".join(each.text for each in findings(found) if each.level is level)


def of(**changes: Any) -> Results:
    """Results of one changed job among good ones."""
    return results(jobs=(job(0), job(1, **changes)))


# ---- findings and gates

BAD = {
    "jobs-across-zones": of(zones=ZONES[:2]),
    "drivers-on-spot": of(driver_on_spot=True),
    "drivers-disrupted": of(lost_drivers=(CHOSEN,)),
    "drivers-lost": of(lost_drivers=(TAKEN,)),
    "jobs-failed": of(outcome=JobOutcome.FAILED, reason="driver lost"),
    "pending": of(all_running=None),
    "executors-refused": of(refused={"exceeded quota": 12}),
    "nodes-left": results(gone_after=None),
}


def test_a_good_run_has_no_bad_finding_and_passes_every_gate() -> None:
    assert said(results(), Level.BAD) == ""
    assert Gates(fail_if=CONDITIONS).failures(results()) == ()


@pytest.mark.parametrize("condition", CONDITIONS)
def test_each_gate_fails_for_its_condition(condition: str) -> None:
    (failure,) = Gates(fail_if=(condition,)).failures(BAD[condition])
    assert failure.startswith(f"{condition}: ")
    # Each failed gate has a bad finding; a driver lost for another reason has a note.
    level = Level.NOTE if condition == "drivers-lost" else Level.BAD
    assert said(BAD[condition], level)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_each_gate_passes_for_other_conditions(condition: str) -> None:
    others = {
        name: found
        for name, found in BAD.items()
        # A driver that Karpenter disrupted is lost, too.
        if name != condition and (name, condition) != ("drivers-disrupted", "drivers-lost")
    }
    failing = [
        name for name, found in others.items() if Gates(fail_if=(condition,)).failures(found)
    ]
    assert failing == []


def test_nodes_of_capacity_buffers_do_not_count_as_left() -> None:
    at_work = replace(results().samples[30], nodes={(ZONES[0], "spot"): 5})
    kept = results(gone_after=None, buffer_nodes=3, samples=(at_work,))
    assert kept.nodes_left == 2
    assert Gates(fail_if=("nodes-left",)).failures(kept) == (
        "nodes-left: 2 nodes after the time to settle",
    )
    assert "2 nodes remained" in said(kept, Level.BAD)
    assert "3 nodes hold capacity buffers" in said(kept, Level.NOTE)
    assert replace(kept, buffer_nodes=9).nodes_left == 0


def test_a_capacity_buffer_without_nodes_is_reported() -> None:
    problem = "no node holds the capacity buffer warm-etl-driver-zone-1: NotFitting"
    assert problem in said(results(problems=(problem,)), Level.BAD)


def test_limits_pass_at_the_limit_and_fail_above_it() -> None:
    peak = max(each.cost_per_hour for each in results().samples)
    slowest = max(each.start_seconds or 0 for each in results().jobs)
    assert Gates(max_hourly_cost=peak, max_start_seconds=slowest).failures(results()) == ()
    failures = Gates(max_hourly_cost=peak - 1, max_start_seconds=slowest - 1).failures(results())
    assert [each.partition(":")[0] for each in failures] == ["max-hourly-cost", "max-start-seconds"]


def test_wrong_gates_are_refused() -> None:
    with pytest.raises(ConfigError, match="jobs-across-zones"):
        Gates(fail_if=("zones",))
    with pytest.raises(ConfigError, match="max_hourly_cost must be more than 0"):
        Gates(max_hourly_cost=0.0)


def test_findings_name_reasons_and_jobs() -> None:
    bad = said(of(outcome=JobOutcome.NOT_STARTED, reason="its driver did not run"), Level.BAD)
    assert "1 of 2 jobs succeeded" in bad
    assert "did not start: its driver did not run" in bad
    assert "job-1" in said(of(zones=ZONES[:2]), Level.BAD)
    assert "exceeded quota" in said(BAD["executors-refused"], Level.BAD)
    assert "Underutilized" in said(BAD["drivers-disrupted"], Level.BAD)
    one_zone = said(results(driver_zones={"a": 6, "b": 0}), Level.NOTE)
    assert "its loss would stop all" in one_zone


def test_nodes_that_are_not_full_are_a_note() -> None:
    empty = results(packing={"shared": PackingResult(peak=0.6, mean=0.5)})
    assert "requested 60%" in said(empty, Level.NOTE)
    assert "requested" not in said(empty, Level.GOOD)


# ---- terminal and JSON


def test_the_table_has_all_findings_and_failures() -> None:
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    print_results(results(), console, ("jobs-failed: 1",))
    console.file.close()
    printed = console.export_text()
    for finding in findings(results()):
        assert finding.text in printed
    assert "failed: jobs-failed: 1" in printed


def test_progress_is_one_line() -> None:
    line = progress_line(sample(40.0))
    assert "24 nodes (12 spot)" in line
    assert "\n" not in line


def documented(heading: str) -> set[str]:
    """Return the fields in the first table of the reference below a line."""
    text = (Path(__file__).parents[2] / "docs/reference/simulation.md").read_text()
    _, found, below = text.partition(f"\n{heading}\n")
    assert found
    table = re.search(r"^\|.*?(?=\n\n|\Z)", below, re.MULTILINE | re.DOTALL)
    assert table
    return set(re.findall(r"^\| `([a-z_]+)` \|", table.group(0), re.MULTILINE))


def test_the_document_is_json_with_the_documented_fields() -> None:
    found = json.loads(json.dumps(document(results(), ("x",))))
    assert found["schema_version"] == SCHEMA_VERSION
    assert set(found) == documented("## JSON report")
    assert set(found["summary"]) == documented("Of `summary`:")
    assert set(found["jobs"][0]) == documented("Of each of `jobs`:")
    assert set(found["series"][0]) == documented("Of each of `series`:")


def test_the_document_counts() -> None:
    summary: Any = document(of(zones=ZONES[:2], lost_drivers=(CHOSEN, TAKEN)))["summary"]
    assert summary["jobs_across_zones"] == 1
    assert (summary["drivers_lost"], summary["drivers_disrupted"]) == (2, 1)
    assert summary["outcomes"] == {"succeeded": 2}
    assert summary["nodes_peak"] == 36


# ---- the page


class Page(HTMLParser):
    """References and content of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.outside: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        values = dict(attrs)
        self.ids += [values["id"] or ""] if "id" in values else []
        links = [values[key] or "" for key in ("src", "href", "xlink:href") if key in values]
        self.outside += [link for link in links if not link.startswith("#")]


@pytest.fixture(scope="module")
def html() -> str:
    return page(results())


@pytest.fixture(scope="module")
def drawn() -> tuple[Chart, ...]:
    return charts(results())


def test_the_page_loads_no_other_files(html: str, drawn: tuple[Chart, ...]) -> None:
    found = Page(html)
    assert found.outside == []
    assert found.tags["script"] == found.tags["link"] == found.tags["img"] == 0
    assert found.tags["svg"] == len(drawn) == 7


def test_ids_of_charts_are_unique(html: str) -> None:
    repeated = [name for name, count in Counter(Page(html).ids).items() if count > 1]
    # Groups of matplotlib have the same names in each chart, and no reference.
    referred = set(re.findall(r"url\(#([^)]+)\)|xlink:href=\"#([^\"]+)\"", html))
    assert set(repeated) & {name for pair in referred for name in pair} == set()


def test_charts_have_only_colours_of_the_page(html: str, drawn: tuple[Chart, ...]) -> None:
    for chart in drawn:
        colours = set(re.findall(r"#[0-9a-f]{6}\b", chart.svg.partition("</defs>")[2]))
        assert colours <= {"#ffffff", "#000000"}, chart.title
        assert "var(--ink)" in chart.svg
    assert [n for n in range(SERIES) if f"--series-{n}: light-dark(" not in html] == []


def test_texts_of_the_cluster_cannot_become_markup() -> None:
    text = page(results(warnings=(("<script>alert(1)</script>", 1),), samples=()), ("<b>x",))
    assert "<script>" not in text
    assert "&lt;b&gt;x" in text


def test_a_page_of_many_jobs_stays_small() -> None:
    # Charts need only samples.
    many = results(jobs=tuple(job(number) for number in range(3_000)), samples=())
    text = page(many)
    assert "The JSON report has 2,500 more jobs" in text
    assert len(text) < 300_000


def browser() -> str:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no chromium or chrome on PATH")
    return found


def test_a_browser_shows_the_page(tmp_path: Path, html: str, drawn: tuple[Chart, ...]) -> None:
    file = tmp_path / "report.html"
    # The page contains the measurements of the browser, since its command line prints the page.
    measure = (
        "<script>addEventListener('load', () => {"
        "const wide = document.documentElement.scrollWidth <= innerWidth;"
        "const drawn = [...document.querySelectorAll('figure svg')]"
        ".filter(svg => svg.getBoundingClientRect().height > 100).length;"
        "const ink = getComputedStyle(document.querySelector('svg text')).fill;"
        "document.title = JSON.stringify({wide, drawn, ink});});</script>"
    )
    file.write_text(html.replace("</head>", f"{measure}</head>"))
    seen = {}
    for scheme, number in (("dark", 0), ("light", 1)):
        command = [browser(), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
        command += [f"--user-data-dir={tmp_path / scheme}", "--window-size=1200,900"]
        command += [f"--blink-settings=preferredColorScheme={number}", file.as_uri()]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        title = re.search(r"<title>(.*?)</title>", answer.stdout)
        assert title, answer.stderr
        seen[scheme] = json.loads(title[1])
        assert seen[scheme]["wide"], "the page must not scroll sideways"
        assert seen[scheme]["drawn"] == len(drawn)
    assert seen["light"]["ink"] != seen["dark"]["ink"]
