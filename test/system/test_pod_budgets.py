"""What pods may upload: each by itself, whatever address it has; all of a service account together, however many there are; and what lists,
verbs and pages say of them."""
import contextlib
import json
import threading

from harness.client import connect_reply
from harness.exeat import run
from harness.pods import ECHO, HERE, KIB, SINK, THERE, allowlist, known, origins, pods, sent_before_cut, serve, sink, uploaded, verdict  # noqa: F401: fixtures
from harness.wait import wait_until


def test_a_pod_made_anew_has_a_new_budget_and_the_account_of_all_of_them_ends_it(serve, pods):
    groups = '[groups.trainers]\nservice_accounts = ["training/trainer"]\ninstances = 3\n'
    with serve(allowlist(groups, sink('upload = "64 KiB/1h"'))) as exeat:
        for _ in range(3):
            uid = pods.start(HERE)
            known(exeat, 1)
            sent_before_cut(exeat, HERE)
            assert verdict(exeat, HERE, SINK) == "budget"
            pods.end(uid)
            known(exeat, 0)
        assert uploaded(exeat) == 3 * 64 * KIB
        pods.start(HERE)
        known(exeat, 1)
        reply = connect_reply(exeat, SINK, source=HERE)
        assert reply.reason == "budget"
        assert b"all pods of this service account share" in reply.body
        assert uploaded(exeat) == 3 * 64 * KIB


def test_pods_of_one_account_have_budgets_of_their_own_and_of_another_account_nothing_in_common(serve, pods):
    groups = '[groups.pods]\nnamespaces = ["training"]\ninstances = 2\n'
    for address, account in (("127.0.8.1", "training/a"), ("127.0.8.2", "training/a"), ("127.0.8.3", "training/a"), ("127.0.8.4", "training/b")):
        pods.start(address, account)
    with serve(allowlist(groups, sink('upload = "64 KiB/1h"'))) as exeat:
        known(exeat, 4)
        for address in ("127.0.8.1", "127.0.8.2"):
            sent_before_cut(exeat, address)
        assert uploaded(exeat) == 2 * 64 * KIB
        assert verdict(exeat, "127.0.8.3", SINK) == "budget"
        assert verdict(exeat, "127.0.8.4", SINK) is None


def test_an_entry_may_say_what_an_account_uploads_in_all(serve, pods):
    with serve(allowlist(None, sink('upload = "64 KiB/1h"\nupload_identity = "96 KiB/1h"'))) as exeat:
        pods.start(HERE), pods.start(THERE)
        known(exeat, 2)
        sent_before_cut(exeat, HERE)
        sent_before_cut(exeat, THERE)
        assert uploaded(exeat) == 96 * KIB


def test_many_tunnels_of_one_account_never_send_more_than_it_may(serve, pods):
    groups = '[groups.pods]\nnamespaces = ["training"]\ninstances = 2\n'
    for n in range(8):
        pods.start(f"127.0.8.{n + 1}", "training/a")
    with serve(allowlist(groups, sink('upload = "256 KiB/1h"'))) as exeat:
        known(exeat, 8)
        def push(n):
            with contextlib.suppress(AssertionError):  # nothing is left: its tunnel is refused
                sent_before_cut(exeat, f"127.0.8.{n % 8 + 1}")
        pushing = [threading.Thread(target=push, args=(n,)) for n in range(16)]
        for t in pushing:
            t.start()
        for t in pushing:
            t.join()
        assert uploaded(exeat) == 512 * KIB


def test_a_thousand_pods_that_start_at_once_are_all_served(serve, pods):
    groups = '[groups.pods]\nnamespaces = ["training"]\ninstances = 1000\n'
    with serve(allowlist(groups, sink('upload = "64 KiB/1h"'))) as exeat:
        for n in range(250):
            pods.all[f"uid-{n}"] = {"metadata": {"uid": f"uid-{n}", "namespace": "training", "name": f"p-{n}"}, "spec": {"serviceAccountName": "a"},
                                    "status": {"phase": "Running", "podIP": f"127.0.8.{n + 1}"}}
        pods.write()
        known(exeat, 250)
        assert [verdict(exeat, f"127.0.8.{n + 1}", SINK) for n in range(250)] == [None] * 250


def test_where_a_pod_is_says_nothing_of_how_many_its_account_may_have(serve, pods):
    groups = f'''
[groups.many]
service_accounts = ["training/trainer"]
sources = ["{HERE}/32"]
instances = 20
[groups.one]
service_accounts = ["training/trainer"]
sources = ["{THERE}/32"]
instances = 1
[groups.zone]
sources = ["127.0.8.0/24"]
'''
    with serve(allowlist(groups, sink('upload = "64 KiB/1h"'))) as exeat:
        pods.start(HERE), pods.start(THERE), pods.start("127.0.8.30", "training/other")
        known(exeat, 3)
        for address in (HERE, THERE):
            sent_before_cut(exeat, address)
        assert uploaded(exeat) == 2 * 64 * KIB
        status = json.loads(exeat.fetch("/api/status")[1])
        limits = {b["workload"]: b["limit_bytes"] for b in status["budgets"]}
        assert limits["service account training/trainer"] == 20 * 64 * KIB


def test_names_under_a_wildcard_count_for_the_account_too(lab, serve, pods):
    host, _ = lab.addresses()
    lab.origin(host, 7)
    for n in range(9):
        lab.dns.set(f"n{n}.wild.test", host)
    groups = '[groups.pods]\nnamespaces = ["training"]\ninstances = 2\n'
    wild = '[[allow]]\nname = "wild"\nhosts = ["*.wild.test"]\nports = [443]\nnames = 3\n'
    asked = iter(range(9))
    with serve(allowlist(groups, wild)) as exeat:
        def ask_names(n):
            return [verdict(exeat, HERE, f"n{next(asked)}.wild.test:443") for _ in range(n)]
        first = pods.start(HERE)
        known(exeat, 1)
        assert "name_budget" not in ask_names(3)
        pods.end(first)
        known(exeat, 0)
        pods.start(HERE)
        known(exeat, 1)
        assert "name_budget" not in ask_names(3)
        reply = connect_reply(exeat, "n8.wild.test:443", source=HERE)
        assert reply.reason == "name_budget"
        pods.all.clear()
        pods.write()
        known(exeat, 0)
        pods.start(HERE)
        known(exeat, 1)
        reply = connect_reply(exeat, "n8.wild.test:443", source=HERE)
        assert reply.reason == "name_budget"
        assert b"all pods of this service account" in reply.body


def test_a_budget_of_an_account_outlives_a_restart(serve, pods):
    groups = '[groups.trainers]\nservice_accounts = ["training/trainer"]\ninstances = 1\n'
    text = allowlist(groups, sink('upload = "64 KiB/1h"'))
    with serve(text) as exeat:
        pods.start(HERE)
        known(exeat, 1)
        sent_before_cut(exeat, HERE)
    pods.all.clear()
    pods.start(HERE)
    with serve(text) as exeat:
        known(exeat, 1)
        assert verdict(exeat, HERE, SINK) == "budget"


def test_an_entry_that_is_renamed_leaves_the_account_of_all_pods_to_its_heir(serve, pods):
    groups = '[groups.trainers]\nservice_accounts = ["training/trainer"]\ninstances = 1\n'
    with serve(allowlist(groups, sink('upload = "64 KiB/1h"'))) as exeat:
        uid = pods.start(HERE)
        known(exeat, 1)
        sent_before_cut(exeat, HERE)
        pods.end(uid)
        pods.start(HERE)
        known(exeat, 1)
        exeat.reload(allowlist(groups, sink('upload = "64 KiB/1h"').replace('name = "sink"', 'name = "other"'), serial=8))
        assert verdict(exeat, HERE, SINK) == "budget"




# ---- lists and verbs

def test_a_list_for_pods_is_refused_where_no_pod_can_be_known(lab, tmp_path):
    path = tmp_path / "allowlist.toml"
    path.write_text(allowlist())
    with lab.exeat(allowlist().replace('service_accounts = ["training/trainer"]', 'sources = ["127.0.1.0/24"]')
                   .replace('namespaces = ["evals"]', 'sources = ["127.0.2.0/24"]')) as exeat:
        exeat.write_allowlist(allowlist())
        wait_until(lambda: "exeat.toml has no [kubernetes]" in exeat.log(), what="the list is refused")
        checked = run("check", "--config", exeat.config_path)
        assert checked.returncode == 1
        assert "group 'trainers' is of pods, and exeat.toml has no [kubernetes]" in checked.stdout + checked.stderr
    assert run("check", path).returncode == 0  # without exeat.toml nobody knows


def test_explain_expect_and_diff_know_service_accounts(tmp_path):
    old, new = tmp_path / "old.toml", tmp_path / "new.toml"
    expect = '[[expect]]\nclient = "10.0.0.1"\nservice_account = "training/trainer"\ntarget = "echo.pods.test:7"\nverdict = "{}"\n'
    old.write_text(allowlist() + expect.format("allow"))
    assert run("check", old).returncode == 0
    explained = run("explain", "--allowlist", old, "--client", "10.0.0.1", "--service-account", "training/trainer", ECHO)
    assert explained.returncode == 0 and "trainers" in explained.stdout
    without = run("explain", "--allowlist", old, "--client", "10.0.0.1", ECHO)
    assert without.returncode == 1 and "nobody comes by an address alone" in without.stdout
    assert run("explain", "--allowlist", old, "--client", "10.0.0.1", "--service-account", "trainer", ECHO).returncode == 2
    new.write_text(allowlist().replace('"training/trainer"]', '"training/trainer", "web/front"]') + expect.format("not_allowed"))
    wrong = run("check", new)
    assert wrong.returncode == 1 and "10.0.0.1 (training/trainer)" in wrong.stdout + wrong.stderr
    new.write_text(new.read_text().replace("not_allowed", "allow"))
    opened = run("diff", old, new)
    assert opened.returncode == 1
    assert "a pod of web/front" in opened.stdout
    closed = run("diff", new, old)
    assert closed.returncode == 0 and "a pod of web/front" in closed.stdout


def test_replay_and_suggest_keep_pods_apart(serve, pods, tmp_path):
    pods.start(HERE, "training/trainer")
    pods.start(THERE, "evals/runner")
    with serve() as exeat:
        known(exeat, 2)
        assert verdict(exeat, HERE) == verdict(exeat, THERE) is None
        exeat.settled()
        same = run("replay", "--audit", exeat.audit_path, exeat.allowlist_path)
        assert same.returncode == 0, same
        narrower = tmp_path / "narrower.toml"
        narrower.write_text(allowlist().replace('namespaces = ["evals"]', 'namespaces = ["other"]'))
        assert run("replay", "--audit", exeat.audit_path, narrower).returncode == 1
        kept = run("suggest", "--audit", exeat.audit_path, "--allowlist", exeat.allowlist_path)
        assert 'service_accounts = ["training/trainer"]' in kept.stdout and 'namespaces = ["evals"]' in kept.stdout
        anew = run("suggest", "--audit", exeat.audit_path)
        assert 'service_accounts = ["evals/runner"]' in anew.stdout and HERE not in anew.stdout


def test_the_page_and_the_metrics_name_the_pod(serve, pods):
    pods.start(HERE, name="trainer-0")
    with serve(allowlist(None, sink('upload = "64 KiB/1h"'))) as exeat:
        known(exeat, 1)
        sent_before_cut(exeat, HERE)
        status = json.loads(exeat.fetch("/api/status")[1])
        budgets = {b["workload"]: b for b in status["budgets"]}
        mine = budgets[f"pod training/trainer-0 ({HERE})"]
        assert (mine["client"], mine["share"]) == (HERE, 1.0)
        shared = budgets["service account training/trainer"]
        assert shared["used_bytes"] == 64 * KIB and shared["limit_bytes"] == 16 * 64 * KIB
        assert exeat.metric("client_bytes_total", client=f"trainers/{HERE}", direction="upload") == 64 * KIB
        assert exeat.metric("client_upload_counted_bytes", client=f"trainers/{HERE}", entry="sink", window="1h") == 64 * KIB
