"""Clients that are pods: known by their UID and their service account, whatever address they have and for as long as they have it."""
import contextlib
import json

import pytest
from harness.client import Reply, ask, connect_reply, connect_request, gone, open_tunnel, take_head
from harness.exeat import run
from harness.pods import BOOKMARK, ECHO, HERE, THERE, allowlist, echoes, known, origins, pods, serve, verdict  # noqa: F401: fixtures
from harness.wait import wait_until


# ---- who is in a group

def test_a_pod_is_in_the_groups_of_its_account_and_its_namespace_and_nobody_else_is(serve, pods):
    pods.start(HERE, "training/trainer")
    pods.start(THERE, "evals/anything")
    pods.start("127.0.8.9", "training/other")
    with serve() as exeat:
        known(exeat, 3)
        assert verdict(exeat, HERE) == verdict(exeat, THERE) == verdict(exeat, "127.0.9.1") is None
        assert verdict(exeat, "127.0.8.9") == "source_not_allowed"
        assert verdict(exeat, "127.0.8.10") == "pod_unknown"
        assert verdict(exeat, "127.0.10.1") == "source_not_allowed"


def test_within_a_group_networks_and_accounts_must_both_hold(serve, pods):
    groups = f'[groups.both]\nsources = ["{HERE}/32", "127.0.9.0/24"]\nservice_accounts = ["training/trainer"]\n'
    pods.start(HERE)
    pods.start(THERE)
    with serve(allowlist(groups)) as exeat:
        known(exeat, 2)
        assert verdict(exeat, HERE) is None
        assert verdict(exeat, THERE) == "source_not_allowed"
        assert verdict(exeat, "127.0.9.1") == "source_not_allowed"  # in the network, and no pod


@pytest.mark.parametrize("kind", ["host_network", "Succeeded", "Failed", "Unknown", "two at one address", "in another network"])
def test_what_has_no_address_of_its_own_is_no_pod(serve, pods, kind):
    if kind == "host_network":
        pods.start(HERE, hostNetwork=True)
    elif kind == "two at one address":
        pods.start(HERE)
        pods.start(HERE, "training/other")
    elif kind == "in another network":
        pods.start("127.0.9.7")
    else:
        pods.start(HERE, phase=kind)
    pods.start(THERE)
    with serve() as exeat:
        wait_until(lambda: exeat.metric("pods_known") >= 1, what="the file was read")
        assert verdict(exeat, HERE) == "pod_unknown"
        assert verdict(exeat, THERE) is None


def test_the_reply_and_the_log_name_the_pod(serve, pods):
    uid = pods.start(HERE, name="trainer-0")
    with serve() as exeat:
        known(exeat, 1)
        assert verdict(exeat, HERE) is None
        reply = connect_reply(exeat, ECHO, source="127.0.8.99")
        assert (reply.status, reply.reason) == (403, "pod_unknown")
        assert b"127.0.8.99" in reply.body
        exeat.settled()
        line = exeat.audit(**{"event.action": "open"})[0]
        assert line["source.ip"] == HERE
        assert (line["user.name"], line["orchestrator.namespace"]) == ("training/trainer", "training")
        assert (line["kubernetes.pod.name"], line["kubernetes.pod.uid"]) == ("trainer-0", uid)
        denied = exeat.audit(**{"event.action": "deny", "event.reason": "pod_unknown"})[0]
        assert denied["source.ip"] == "127.0.8.99" and "user.name" not in denied


# ---- pods that come and go

def test_a_connection_that_comes_before_its_pod_is_known_waits_for_it(serve, pods):
    with serve(wait="20s") as exeat, exeat.connect(source=HERE) as s:
        s.sendall(connect_request(ECHO))
        exeat.caught_up()
        pods.start(HERE)
        assert take_head(s).startswith(b"HTTP/1.1 200")
        assert echoes(s)


def test_tunnels_of_a_pod_end_with_it_and_those_of_others_go_on(serve, pods):
    mine, other = pods.start(HERE), pods.start(THERE)
    with serve() as exeat:
        known(exeat, 2)
        with open_tunnel(exeat, ECHO, source=HERE) as a, open_tunnel(exeat, ECHO, source=THERE) as b:
            pods.end(mine)
            assert gone(a)
            assert echoes(b)
            pods.change(other, "Succeeded")  # it keeps its address in its status
            assert gone(b)
        exeat.settled()
        assert [line["event.reason"] for line in exeat.audit(**{"event.action": "close"})] == ["policy_revoked"] * 2


def test_an_address_that_changes_hands_in_one_step_takes_nothing_along(serve, pods):
    first = pods.start(HERE)
    with serve() as exeat:
        known(exeat, 1)
        with open_tunnel(exeat, ECHO, source=HERE) as a, exeat.connect(source=HERE) as kept:
            assert echoes(a)
            ask(kept, b"GET http://echo.pods.test:7/ HTTP/1.1\r\nHost: echo.pods.test:7\r\n\r\n")  # refused by protocol, and over
            del pods.all[first]
            second = pods.start(HERE, "evals/runner")
            assert gone(a)
        wait_until(lambda: verdict(exeat, HERE) is None, what="the new pod is served")
        exeat.settled()
        of = {line["kubernetes.pod.uid"]: line["user.name"] for line in exeat.audit(**{"event.action": "open"})}
        assert of == {first: "training/trainer", second: "evals/runner"}


def test_a_tunnel_that_has_no_decision_yet_ends_with_its_pod_as_well(serve, pods):
    mine = pods.start(HERE)
    with serve() as exeat:
        known(exeat, 1)
        with exeat.connect(source=HERE) as s:
            s.sendall(b"CONNECT echo.pods")
            exeat.caught_up()
            pods.end(mine)
            known(exeat, 0)
            reply = Reply(s)
            assert (reply.status, reply.reason) == (403, "pod_unknown")




# ---- a source that fails

def test_a_file_that_breaks_changes_nothing_at_first_and_is_reported_once(serve, pods):
    pods.start(HERE)
    with serve() as exeat:
        known(exeat, 1)
        pods.write("{}\n")
        wait_until(lambda: exeat.metric("pods_failures_total") == 1, what="the file is refused")
        assert verdict(exeat, HERE) is None
        assert exeat.metric("pods_current") == 0
        reply = connect_reply(exeat, ECHO, source=THERE)
        assert (reply.status, reply.reason) == (503, "identity_unavailable")  # it may be a new pod
        assert exeat.log().count("the pods cannot be read") == 1
        assert "pods.jsonl:1: has no metadata.uid" in exeat.log()
        pods.write()
        wait_until(lambda: exeat.metric("pods_current") == 1, what="the file is good again")
        assert verdict(exeat, THERE) == "pod_unknown"


@pytest.mark.parametrize("when_stale", ["deny", "keep"])
def test_what_is_too_old_is_not_believed(serve, pods, when_stale):
    pods.start(HERE)
    with serve(stale_after="10s", when_stale=when_stale) as exeat:
        known(exeat, 1)
        with open_tunnel(exeat, ECHO, source=HERE) as tunnel:
            pods.path.unlink()
            wait_until(lambda: "what is known of the pods is too old" in exeat.log(), 60, "the pods are stale")
            exeat.caught_up()
            assert verdict(exeat, HERE) == ("identity_unavailable" if when_stale == "deny" else None)
            assert verdict(exeat, THERE) == "identity_unavailable"
            assert echoes(tunnel)  # the pod that opened it still has it
        pods.write()
        wait_until(lambda: verdict(exeat, HERE) is None, what="the pods are known again")


def test_a_file_that_is_written_in_place_is_refused(serve, pods):
    pods.start(HERE)
    with serve() as exeat:
        known(exeat, 1)
        text = pods.path.read_text()
        pods.path.write_text("")  # a moment later it may be whole
        wait_until(lambda: exeat.metric("pods_failures_total") == 1, what="it is refused")
        assert "was written in place" in exeat.log()
        assert verdict(exeat, HERE) is None
        pods.write(text)
        wait_until(lambda: exeat.metric("pods_current") == 1, what="it is whole again")


@pytest.mark.parametrize("part", ["", "half", "no bookmark"])
def test_a_part_of_the_file_is_not_taken_for_all_pods(serve, pods, part):
    pods.start(HERE), pods.start(THERE)
    whole = pods.path.read_text()
    with serve() as exeat:
        known(exeat, 2)
        with open_tunnel(exeat, ECHO, source=HERE) as tunnel:
            pods.write({"": "", "half": whole[:len(whole) // 2], "no bookmark": whole.replace(BOOKMARK, "")}[part])
            wait_until(lambda: exeat.metric("pods_failures_total") == 1, what="it is refused")
            exeat.caught_up()
            assert echoes(tunnel)
            assert verdict(exeat, THERE) is None
        assert "is not whole" in exeat.log()


def test_exeat_starts_without_the_file_and_serves_pods_once_it_is_there(serve, pods):
    pods.path.unlink()
    with serve() as exeat:
        assert verdict(exeat, HERE) == "identity_unavailable"
        assert verdict(exeat, "127.0.9.1") is None
        pods.start(HERE)
        wait_until(lambda: verdict(exeat, HERE) is None, what="the pod is known")


def test_events_that_are_appended_count_at_once(serve, pods):
    first = pods.start(HERE)
    with serve() as exeat:
        known(exeat, 1)
        old = pods.all[first]
        new = json.loads(json.dumps(old))
        new["metadata"]["uid"], new["metadata"]["name"] = "another", "trainer-1"
        with open_tunnel(exeat, ECHO, source=HERE) as tunnel:
            pods.append(("DELETED", old), ("ADDED", new))
            assert gone(tunnel)
        assert verdict(exeat, HERE) is None
        exeat.settled()
        assert exeat.audit(**{"event.action": "open"})[-1]["kubernetes.pod.uid"] == "another"
        assert exeat.metric("pods_failures_total") == 0


def test_a_last_line_without_an_end_is_an_error_in_the_end(serve, pods):
    pods.start(HERE)
    with serve() as exeat:
        known(exeat, 1)
        with pods.path.open("a") as file:
            file.write('{"type":"ADDED"')
        wait_until(lambda: "its last line has no end" in exeat.log(), what="it is reported")
        assert verdict(exeat, HERE) is None
        assert exeat.metric("pods_current") == 0


def test_an_address_without_a_pod_may_wait_so_often_and_no_more(serve, pods):
    with serve(wait="20s") as exeat, contextlib.ExitStack() as open_ones:
        waiting = [open_ones.enter_context(exeat.connect(source=HERE)) for _ in range(2 * 64)]  # each worker has 64 places
        for s in waiting:
            s.sendall(connect_request(ECHO))
        refused = []
        while len(refused) < 3:
            s = open_ones.enter_context(exeat.connect(source=HERE))
            s.sendall(connect_request(ECHO))
            s.settimeout(0.2)
            try:
                refused.append(Reply(s).reason)
            except TimeoutError:
                waiting.append(s)
            assert len(waiting) < 4 * 64
        assert set(refused) == {"overload"}
        with exeat.connect(source=THERE) as other:  # no other address pays for it
            other.sendall(connect_request(ECHO))
            pods.start(THERE)
            assert take_head(other).startswith(b"HTTP/1.1 200")


# ---- what an analyst and detectors do

def test_a_quarantined_service_account_is_shut_whatever_pods_it_has(serve, pods):
    pods.start(HERE)
    pods.start(THERE, "evals/runner")
    with serve() as exeat:
        known(exeat, 2)
        quarantine = lambda *argv: run("quarantine", "--config", exeat.config_path, *argv, "--reason", "why")  # noqa: E731
        with open_tunnel(exeat, ECHO, source=HERE) as mine, open_tunnel(exeat, ECHO, source=THERE) as other:
            done = quarantine("--service-account", "training/trainer", "--for", "1h")
            assert done.returncode == 0 and "service account training/trainer: quarantined until" in done.stdout
            assert gone(mine)
            assert echoes(other)
        pods.start("127.0.8.20")
        known(exeat, 3)
        assert verdict(exeat, HERE) == verdict(exeat, "127.0.8.20") == "quarantined"
        assert exeat.metric("quarantines", kind="service_account") == 1
        explained = run("explain", "--config", exeat.config_path, "--client", HERE, "--service-account", "training/trainer", ECHO)
        assert explained.returncode == 1 and "service account training/trainer is quarantined" in explained.stdout
        wait_until(lambda: [line["user.name"] for line in exeat.audit(event__action="quarantine")] == ["training/trainer"])
        assert quarantine("--service-account", "training/trainer", "--lift").returncode == 0
        wait_until(lambda: verdict(exeat, HERE) is None, what="it is lifted")


@pytest.mark.parametrize("argv", [("--service-account", "trainer"), ("--service-account", "a/b", "--client", "10.0.0.1")])
def test_a_quarantine_of_no_service_account_is_refused(serve, argv):
    made = serve()
    done = run("quarantine", "--config", made.config_path, *argv, "--for", "1h", "--reason", "r")
    assert done.returncode in (1, 2) and done.stderr


def test_the_third_pod_of_an_account_that_probes_shuts_all_of_them_out(serve, pods):
    made = serve()
    made.config_path.write_text(made.config_path.read_text() + '[detect.denied_burst]\naction = "cut"\n')
    for n in range(5):
        pods.start(f"127.0.8.{n + 1}", "evals/runner" if n == 4 else "training/trainer")
    with made as exeat:
        known(exeat, 5)
        for n in range(3):
            assert verdict(exeat, "127.0.8.4") is None  # it has done nothing
            for door in range(6):
                assert verdict(exeat, f"127.0.8.{n + 1}", f"door{door}.pods.test:443") in ("not_allowed", "anomaly")
            wait_until(lambda: verdict(exeat, f"127.0.8.{n + 1}") == "anomaly", what="it is shut out")
        wait_until(lambda: verdict(exeat, "127.0.8.4") == "anomaly", what="so are all pods of the account")
        assert verdict(exeat, "127.0.8.5") is None
