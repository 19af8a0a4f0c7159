"""Clients that people really use, in a pod whose only way out is exeat, on the system tests' lab. What comes from a registry is installed before
anything else: the namespace of the tests reaches none."""
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "system")]
import registries  # noqa: E402

MISSING = registries.install()

from harness.session import lab, measured  # noqa: E402,F401
from place import Place  # noqa: E402
from table import CLIENTS, markdown  # noqa: E402


@pytest.fixture(scope="session")
def place(lab, tmp_path_factory):
    return Place(lab, tmp_path_factory.mktemp("clients"), MISSING)


@pytest.fixture(scope="session")
def exeat(place):
    """The one that most clients share: an entry for TLS and one for plain HTTP, with a host for each client and way."""
    hosts = {way: [place.host(c.slug, way, True) for c in CLIENTS if way in c.ways] for way in ("https", "http")}
    hosts["https"].append(place.host("sockets", "https", True))
    hosts["http"] += [place.host(name, "http", True) for name in ("sockets", "goes-round", "kept-requests", "kept-undici-7", "kept-post")]
    with place.serve(hosts["https"], hosts["http"]) as running:
        yield running


OUTCOMES = {}  # (name of the test, client, way) -> "passed", "failed" or "skipped"


def pytest_runtest_logreport(report):
    """Of each cell of the matrix, by its test's name: test_…[CLIENT-WAY]."""
    name, _, cell = report.nodeid.rpartition("::")[2].rstrip("]").partition("[")
    client, _, way = cell.rpartition("-")
    if report.when == "call" or report.skipped:
        OUTCOMES[name, client, way] = report.outcome


def pytest_terminal_summary(terminalreporter):
    answers, refusals = ({key[1:]: outcome for key, outcome in OUTCOMES.items() if key[0] == name}
                         for name in ("test_an_allowed_host_answers", "test_a_refused_host_stays_out_of_reach"))
    if not answers:
        return
    text = markdown(lambda client, way, text: {"passed": text, "failed": f"**no** ({text})"}.get(answers.get((client.slug, way)), "skipped"))
    registries.CACHE.mkdir(parents=True, exist_ok=True)
    (registries.CACHE / "matrix.md").write_text(text)
    for what, seen in (("an allowed host answers", answers), ("a refused one is out of reach, and says what it can", refusals)):
        for way, how in (("https", "https://"), ("http", "http://")):
            of_way = {client: outcome for (client, by), outcome in seen.items() if by == way}
            broken = [client for client, outcome in of_way.items() if outcome == "failed"]
            tried = sum(outcome != "skipped" for outcome in of_way.values())
            terminalreporter.write_line(f"measured: {how} by {tried} of {len(of_way)} real clients: {what}" + (f", but not by {', '.join(broken)}" if broken else ""))
