"""exeat identities: what the API server says of pods reaches the file, and exeat, and nothing else does."""
import contextlib
import json
import pathlib
import signal
import subprocess

import pytest
from harness.api_server import ApiServer
from harness.client import gone, open_tunnel
from harness.exeat import BINARY, run
from harness.pods import ECHO, HERE, THERE, echoes, known, origins, pods, serve, verdict  # noqa: F401: fixtures
from harness.wait import wait_until


class Identities:
    def __init__(self, made, directory):
        self.config, self.errors = made.config_path, directory / "identities.log"

    def __enter__(self):
        self.process = subprocess.Popen([BINARY, "identities", "--config", str(self.config)], stdin=subprocess.DEVNULL, stderr=self.errors.open("wb"))
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0, self.log()

    def log(self):
        return self.errors.read_text()

    def says(self, text):
        wait_until(lambda: text in self.log(), 60, f"its log says {text!r}")


@pytest.fixture
def api(lab):
    fake = ApiServer(lab.authority)
    yield fake
    with contextlib.suppress(OSError):
        fake.stop()


@pytest.fixture
def set_up(lab, serve, pods, tmp_path):
    """An exeat, not started, whose [kubernetes] names this API server."""
    def make(api, **more):
        pods.path.unlink(missing_ok=True)
        (tmp_path / "token").write_text("first\n")
        return serve(server=f"https://localhost:{api.port}", ca=str(lab.authority.file), token=str(tmp_path / "token"), **more)
    return make


def lines_of(pods):
    return [json.loads(line) for line in pods.path.read_text().splitlines()]


def test_what_happens_to_pods_reaches_exeat(api, set_up, pods, tmp_path):
    for n in range(5):
        api.start(f"uid-{n}", f"127.0.8.{n + 1}")
    made = set_up(api)
    with Identities(made, tmp_path), made as exeat:
        known(exeat, 5)  # several pages
        with open_tunnel(exeat, ECHO, source="127.0.8.1") as s:
            assert echoes(s)
            api.end("uid-0")
            assert gone(s)
        api.start("uid-9", HERE, annotations={"note": 'x"}\n{"type":"ADDED"'}, labels={"a": "b"})
        wait_until(lambda: verdict(exeat, HERE) is None, what="the new pod is served")
        assert verdict(exeat, THERE) == "pod_unknown"
        assert "note" not in pods.path.read_text() and "labels" not in pods.path.read_text()
        assert all(auth == "Bearer first" for _, auth in api.asked)


def test_a_pod_that_is_none_is_left_out_and_stops_nobody(api, set_up, pods, tmp_path):
    api.start("uid-1", HERE)
    api.put({"metadata": {"uid": "uid-2", "namespace": "Bad Space", "name": "x"}, "spec": {}, "status": {"phase": "Running", "podIP": "nonsense"}})
    made = set_up(api)
    with Identities(made, tmp_path) as identities, made as exeat:
        known(exeat, 1)
        identities.says("a pod is left out of the file")
        assert verdict(exeat, HERE) is None


@pytest.mark.parametrize("raw, why", [
    (b'{"type":"ADDED","type":"DELETED","object":{}}\n', "has the name 'type' twice"),
    (b"not json\n", "is not JSON"),
    (b'{"type":"ADDED"}\n', "is not an event with an object"),
    (b'{"type":"SYNCED","object":{}}\n', "is an event of type 'SYNCED'"),
    (b"x" * (2 * 1024 * 1024 + 70_000), "is longer than 2 MiB"),
    (b'{"type":"ERROR","object":{"kind":"Status","code":500,"message":"broken"}}\n', "is an error of the API server: 'broken'"),
], ids=["a name twice", "no JSON", "no object", "another type", "no end", "an error"])
def test_a_line_that_is_wrong_changes_nothing_and_the_pods_are_listed_again(api, set_up, pods, tmp_path, raw, why):
    api.start("uid-1", HERE)
    made = set_up(api)
    with Identities(made, tmp_path) as identities, made as exeat:
        known(exeat, 1)
        api.speak(raw)
        identities.says(why)
        api.start("uid-2", THERE)
        known(exeat, 2)
        assert exeat.metric("pods_failures_total") == 0 or "cannot be opened" in exeat.log()
        assert {line["type"] for line in lines_of(pods) if "type" in line} <= {"BOOKMARK", "ADDED", "MODIFIED", "DELETED"}


def test_what_the_api_server_has_forgotten_is_listed_again(api, set_up, pods, tmp_path):
    api.start("uid-1", HERE)
    made = set_up(api)
    with Identities(made, tmp_path) as identities, made as exeat:
        known(exeat, 1)
        api.end("uid-1")
        api.start("uid-2", THERE)
        api.version += 5
        api.forget_events()
        identities.says("410")
        wait_until(lambda: verdict(exeat, THERE) is None, what="the pods are listed again")
        assert verdict(exeat, HERE) == "pod_unknown"


@pytest.mark.parametrize("answer, why", [
    ((401, "application/json", b"{}"), "is not taken (401)"), ((403, "application/json", b"{}"), "list and watch"),
    ((302, "application/json", b"{}"), "redirect"), ((500, "application/json", b"{}"), "it answers 500"),
    ((200, "text/html", b"<html>"), "is not application/json"), ((200, "application/json", b'{"kind":"NodeList","items":[]}'), "not a PodList"),
    ((200, "application/json", b"{" * 200), "is not JSON"),
], ids=["401", "403", "redirect", "500", "HTML", "nodes", "nesting"])
def test_another_answer_than_pods_is_said_and_asked_for_again(api, set_up, pods, tmp_path, answer, why):
    api.start("uid-1", HERE)
    api.answer = answer
    made = set_up(api)
    with Identities(made, tmp_path) as identities, made as exeat:
        identities.says(why)
        assert not pods.path.exists()
        api.answer = None
        known(exeat, 1)
        assert verdict(exeat, HERE) is None


def test_a_token_is_read_anew_when_it_was_rotated(api, set_up, tmp_path):
    api.start("uid-1", HERE)
    api.token = "second"
    made = set_up(api)
    with Identities(made, tmp_path) as identities, made as exeat:
        identities.says("(401)")
        (tmp_path / "token").write_text("second\n")
        known(exeat, 1)
        assert "first" not in identities.log() and "second" not in identities.log()


def test_a_server_with_another_certificate_gets_no_token(lab, set_up, tmp_path):
    fake = ApiServer(lab.authority, names=("other.test",))
    made = set_up(fake)
    with Identities(made, tmp_path) as identities:
        identities.says("its certificate is not taken")
        assert not fake.asked
    fake.stop()


def test_a_server_that_is_away_lets_the_file_age_and_is_found_again(lab, api, set_up, tmp_path):
    api.start("uid-1", HERE)
    made = set_up(api, stale_after="10s")
    with Identities(made, tmp_path) as identities, made as exeat:
        known(exeat, 1)
        api.answer = (500, "application/json", b"{}")
        api.speak(b"garbage\n")
        identities.says("it answers 500")
        wait_until(lambda: verdict(exeat, HERE) == "identity_unavailable", 60, "the pods are stale")
        api.answer = None
        wait_until(lambda: verdict(exeat, HERE) is None, 60, "they are known again")


def test_two_of_them_do_not_write_one_file(api, set_up, tmp_path):
    made = set_up(api)
    with Identities(made, tmp_path):
        wait_until(lambda: pathlib.Path(str(tmp_path / "pods.jsonl.lock")).exists(), what="the first one has the lock")
        second = run("identities", "--config", made.config_path)
        assert second.returncode == 1 and "held by another process" in second.stderr


def test_without_kubernetes_it_says_so(lab, tmp_path):
    made = lab.exeat('serial = 7\n[groups.a]\nsources = ["127.0.0.0/8"]\n')
    done = run("identities", "--config", made.config_path)
    assert done.returncode == 1 and "no [kubernetes]" in done.stderr
