"""The allowlist changes while traffic flows."""
import datetime
import hashlib
import os
import signal
import time

import pytest
from harness.client import Reply, alive, connect_reply, gone, http_request, open_tunnel, take_head
from harness.oracle import refused
from harness.preload import Preload
from harness.wait import seconds, stays, wait_everywhere, wait_until


def allowlist(*hosts, serial=7, more=""):
    entries = "".join(f'[[allow]]\nname = "e-{h.split(".")[0]}"\nhosts = ["{h}"]\nports = [7]\nprotocol = "tcp"\n' for h in hosts)
    return f'serial = {serial}\n{more}\n[groups.lab]\nsources = ["127.0.0.1"]\n{entries}'


BASE = allowlist("a.reload.test", "b.reload.test")


@pytest.fixture(scope="module", autouse=True)
def origin(lab):
    host, _ = lab.place("a.reload.test", "b.reload.test", "c.reload.test", *(f"name{n}.reload.test" for n in (0, 500_000, 999_999)), v6=False)
    return lab.origin(host, 7)


@pytest.fixture(scope="module")
def module_exeat(lab):
    with lab.exeat(BASE) as running:
        yield running


@pytest.fixture
def exeat(module_exeat):
    """With the base list in force, and no reload on its way."""
    module_exeat.reload(BASE)
    wait_until(lambda: module_exeat.metric("policy_last_reload_success") == 1)
    return module_exeat


@pytest.fixture
def clock(tmp_path):
    return Preload(tmp_path / "clock", allocations=False)


@pytest.fixture
def of_an_hour(lab, clock):
    """An exeat of its own, for lists that end within an hour: `clock` says when that is over."""
    with lab.exeat(BASE, before=clock.before) as running:
        yield running


def allowed(exeat, letter):
    return connect_reply(exeat, f"{letter}.reload.test:7").status == 200


def takes(exeat, letter):
    """Waits until every worker has a list that allows it."""
    wait_until(lambda: allowed(exeat, letter))
    exeat.caught_up()


def utc(seconds_ahead):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds_ahead)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_rename_over_the_file_is_taken(exeat):
    exeat.write_allowlist(allowlist("a.reload.test", "c.reload.test"))
    takes(exeat, "c")
    assert not allowed(exeat, "b")


def test_a_write_into_the_file_is_taken(exeat):
    exeat.allowlist_path.write_text(allowlist("a.reload.test", "c.reload.test"))
    takes(exeat, "c")
    assert not allowed(exeat, "b")


def test_an_editor_that_moves_the_old_file_away_first_is_no_trouble(exeat):
    path = exeat.allowlist_path
    path.rename(path.with_suffix(".bak"))
    assert allowed(exeat, "a"), "the old list stays while there is none"
    path.write_text(allowlist("c.reload.test"))
    takes(exeat, "c")
    path.with_suffix(".bak").unlink()


def test_sighup_reads_it_again_even_unchanged(exeat):
    before = exeat.metric("policy_reloads_total", result="ok")
    exeat.signal(signal.SIGHUP)
    wait_until(lambda: exeat.metric("policy_reloads_total", result="ok") > before)


def test_metrics_and_audit_tell_of_a_reload(exeat):
    lines = exeat.settled()
    old = exeat.metrics().label_values("exeat_policy_info", "sha256")
    exeat.reload(allowlist("a.reload.test", serial=8))
    m = exeat.metrics()
    assert m.has("exeat_policy_info", serial="8") and m.of("exeat_policy_entries") == 1
    new = m.label_values("exeat_policy_info", "sha256")
    assert len(new) == 1 and new != old
    line = wait_until(lambda: exeat.audit(lines, event__action="reload"))[0]
    assert (line["event.outcome"], line["exeat.policy.serial"], {line["rule.version"]}) == ("success", 8, new)


def test_kubernetes_swaps_a_symlink(lab, tmp_path):
    """I4: ..data points to a directory; the file is a link through it."""
    def publish(version, text):
        (tmp_path / version).mkdir()
        (tmp_path / version / "allowlist.toml").write_text(text)
        (tmp_path / "..data_tmp").symlink_to(version)
        os.replace(tmp_path / "..data_tmp", tmp_path / "..data")

    publish("..v1", BASE)
    (tmp_path / "allowlist.toml").symlink_to("..data/allowlist.toml")
    with lab.exeat(None, allowlist_path=tmp_path / "allowlist.toml") as exeat:
        for version, letter, other in (("..v2", "c", "b"), ("..v3", "b", "c")):
            publish(version, allowlist("a.reload.test", f"{letter}.reload.test"))
            takes(exeat, letter)
            assert not allowed(exeat, other)


BAD = {
    "empty": ("", "empty"),
    "half-written": (BASE[: len(BASE) // 2], "allowlist.toml:"),
    "not TOML": ("this is no toml", "allowlist.toml:1:"),
    "unknown key": (BASE + "hots = []\n", "hots"),
    "wrong type": (BASE.replace("ports = [7]", 'ports = "7"'), "ports"),
    "a wildcard too wide": (allowlist("a.reload.test") + '[[allow]]\nname = "w"\nhosts = ["*.com"]\n', "*.com"),
    "an expectation not met": (BASE + '[[expect]]\nclient = "127.0.0.1"\ntarget = "evil.test:443"\nverdict = "allow"\n', "evil.test"),
    "a name twice": (BASE + BASE[BASE.index("[[allow]]"):], "e-a"),
    "a key that is not enforced yet": (BASE.replace("[groups.lab]\n", '[groups.lab]\nidentities = ["spiffe://lab"]\n'), "identities"),
    "binary": ("\0\1\2\xff", "allowlist.toml"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_changes_nothing_and_is_told(exeat, what):
    """I1, I2."""
    text, named = BAD[what]
    log, before = len(exeat.log()), exeat.metrics()
    with open_tunnel(exeat, "a.reload.test:7") as s:
        exeat.reload(text, result="error")
        assert alive(s) and allowed(exeat, "b") and not allowed(exeat, "c")
    after = exeat.metrics()
    assert after.of("exeat_policy_last_reload_success") == 0
    assert after.label_values("exeat_policy_info", "sha256") == before.label_values("exeat_policy_info", "sha256")
    assert after.of("exeat_policy_last_reload_success_timestamp_seconds") == before.of("exeat_policy_last_reload_success_timestamp_seconds")
    status, page = exeat.fetch("/readyz")
    assert status == 200 and "last reload failed" in page
    assert named in exeat.log()[log:]
    wait_until(lambda: exeat.audit(event__action="reload", event__outcome="failure"))


def test_a_file_that_vanishes_changes_nothing(exeat):
    before = exeat.metric("policy_reloads_total", result="error")
    exeat.allowlist_path.unlink()
    exeat.signal(signal.SIGHUP)
    wait_until(lambda: exeat.metric("policy_reloads_total", result="error") > before)
    assert allowed(exeat, "a")


def test_an_empty_list_that_says_so_denies_everything_at_once(exeat):
    exeat.reload("serial = 9\n")
    assert connect_reply(exeat, "a.reload.test:7").reason == "source_not_allowed"
    status, page = exeat.fetch("/readyz")
    assert status == 503 and "empty" in page


def test_a_rule_that_goes_closes_its_tunnels_and_no_others(exeat):
    """I6, I3, M6."""
    lines, cut = exeat.settled(), exeat.metric("tunnels_closed_total", cause="policy_revoked")
    with open_tunnel(exeat, "a.reload.test:7") as a, open_tunnel(exeat, "b.reload.test:7") as b:
        assert alive(a) and alive(b)
        exeat.reload(allowlist("b.reload.test"))
        assert gone(a)
        assert alive(b)
        wait_until(lambda: exeat.metric("tunnels_closed_total", cause="policy_revoked") == cut + 1)
        line = wait_until(lambda: exeat.audit(lines, event__action="close", event__reason="policy_revoked"))[0]
        assert (line["rule.name"], line["event.outcome"]) == ("e-a", "failure")
        exeat.reload(allowlist("b.reload.test", serial=8))
        assert alive(b)
    wait_until(lambda: exeat.metric("client_last_cut_timestamp_seconds") > 0 or exeat.metric("client_bytes_total", client="_other") > 0)


def test_an_answer_that_a_reload_cuts_does_not_look_whole(lab, exeat):
    def begin(peer, reader, head):
        peer.send(b"HTTP/1.1 200 OK\r\n\r\npart")
        peer.recv()

    host, _ = lab.place("web.reload.test", v6=False)
    lab.http_origin(host, routes={"*": begin})
    exeat.reload(BASE + '[[allow]]\nname = "web"\nhosts = ["web.reload.test"]\nprotocol = "http"\n')
    with exeat.connect() as s:
        s.sendall(http_request("GET", "http://web.reload.test/"))
        take_head(s)
        assert b"part" in s.recv(4096)
        exeat.reload(BASE)
        s.settimeout(seconds(30))
        with pytest.raises(ConnectionResetError):
            while s.recv(4096):
                pass


@pytest.mark.parametrize("change, survives", [
    (lambda t: t.replace('protocol = "tcp"\n', 'protocol = "tcp"\nowner = "x"\n'), True),
    (lambda t: t.replace('"e-a"', '"renamed"'), True),
    (lambda t: t.replace("ports = [7]", "ports = [8]", 1), False),
    (lambda t: t.replace("127.0.0.1", "10.9.9.9"), False),
    (lambda t: t + '[[deny]]\nname = "no"\nhosts = ["a.reload.test"]\n', False),
    (lambda t: t.replace('name = "e-a"', 'name = "e-a"\ngroups = ["other"]') + '[groups.other]\nsources = ["10.0.0.0/8"]\n', False),
], ids=["owner", "renamed", "port", "source", "deny", "group"])
def test_an_open_tunnel_is_judged_again_in_every_respect(exeat, change, survives):
    with open_tunnel(exeat, "a.reload.test:7") as s:
        assert alive(s)
        exeat.reload(change(BASE))
        if survives:
            assert alive(s)
        else:
            assert gone(s)


def test_an_entry_that_expires_closes_its_tunnels_and_no_others(of_an_hour, clock):
    """I13."""
    exeat = of_an_hour
    with open_tunnel(exeat, "b.reload.test:7") as b:
        exeat.reload(BASE.replace('hosts = ["a.', f'expires = {utc(3600)}\nhosts = ["a.'))
        assert exeat.metrics().has("exeat_entry_expires_timestamp_seconds", entry="e-a")
        with open_tunnel(exeat, "a.reload.test:7") as a:
            assert alive(a)
            clock.tell(wall_offset=3700)
            assert gone(a)
        assert alive(b)
        wait_everywhere(lambda: connect_reply(exeat, "a.reload.test:7").reason == "expired")
        wait_until(lambda: exeat.audit(event__action="close", event__reason="expired", rule__name="e-a"))


def test_a_list_that_expires_closes_all_and_denies_all(of_an_hour, clock):
    exeat = of_an_hour
    exeat.reload(allowlist("a.reload.test", "b.reload.test", more=f"expires = {utc(3600)}"))
    with open_tunnel(exeat, "a.reload.test:7") as a:
        assert alive(a)
        clock.tell(wall_offset=3700)
        assert gone(a)
    wait_everywhere(lambda: connect_reply(exeat, "b.reload.test:7").reason == "policy_expired")
    assert exeat.fetch("/readyz")[0] == 503


def test_report_mode_lets_through_what_only_the_list_would_refuse_and_reports_it(lab, exeat):
    host, _ = lab.place("unlisted.reload.test", v6=False)
    web = lab.tls_origin("unlisted.reload.test", host=host)
    exeat.reload(allowlist("a.reload.test", more=f'mode = "report"\nreport_until = {utc(86400)}'))
    lines = exeat.settled()
    with open_tunnel_tls(exeat, lab, "unlisted.reload.test:443"):
        line = wait_until(lambda: exeat.audit(lines, event__action="open"))[0]
        assert (line["event.reason"], line["exeat.reported"]) == ("not_allowed", True)
    wait_until(lambda: exeat.metric("reported_total", reason="not_allowed") >= 1)
    assert exeat.metrics().has("exeat_policy_info", mode="report")
    assert "report mode" in exeat.fetch("/readyz")[1]
    lab.dns.set("inner.reload.test", "10.1.1.1")
    with refused(lab, exeat, "addr_class", resolves=["inner.reload.test"]):
        connect_reply(exeat, "inner.reload.test:443")
    with refused(lab, exeat, "ip_literal"):
        connect_reply(exeat, "93.184.216.34:443")
    web.close()


def open_tunnel_tls(exeat, lab, target):
    s = open_tunnel(exeat, target)
    return lab.authority.client_context().wrap_socket(s, server_hostname=target.split(":")[0])


def test_report_mode_of_a_group_is_for_its_clients_alone(exeat):
    other = '[groups.new]\nmode = "report"\nsources = ["127.0.0.9"]\n'
    exeat.reload(allowlist("a.reload.test", more=f"report_until = {utc(86400)}\n{other}"))
    assert "report mode of new until" in exeat.fetch("/readyz")[1]
    assert connect_reply(exeat, "unlisted3.reload.test:443").reason == "not_allowed"
    assert connect_reply(exeat, "unlisted3.reload.test:443", source="127.0.0.9").reason == "dns_failure", "it went on, as far as DNS"


def test_report_mode_ends_by_itself(of_an_hour, clock):
    exeat = of_an_hour
    exeat.reload(allowlist("a.reload.test", more=f'mode = "report"\nreport_until = {utc(3600)}'))
    assert connect_reply(exeat, "unlisted2.reload.test:443").reason == "dns_failure", "it is let pass, and is nowhere"
    clock.tell(wall_offset=3700)
    wait_everywhere(lambda: connect_reply(exeat, "unlisted2.reload.test:443").reason == "not_allowed")
    assert exeat.metrics().has("exeat_policy_info", mode="enforce")


def hosts_file(exeat, text):
    return allowlist("a.reload.test") + '[[allow]]\nname = "many"\nhosts_file = "names.txt"\nports = [7]\nprotocol = "tcp"\n' + text


def digest_of(exeat, text):
    return hashlib.sha256(text.encode() + hashlib.sha256((exeat.directory / "names.txt").read_bytes()).digest()).hexdigest()


def test_an_edit_of_the_hosts_file_is_a_reload(exeat):
    names = exeat.directory / "names.txt"
    names.write_text("# comment\nb.reload.test\n")
    exeat.reload(hosts_file(exeat, ""))
    takes(exeat, "b")
    assert not allowed(exeat, "c")
    names.write_text("b.reload.test\nc.reload.test  # new\n")
    takes(exeat, "c")
    before = exeat.metric("policy_reloads_total", result="error")
    names.write_text("b.reload.test\nno host at all\n")
    wait_until(lambda: exeat.metric("policy_reloads_total", result="error") > before and "names.txt:2" in exeat.log())
    assert allowed(exeat, "c")


def test_a_million_names_load_while_traffic_flows(exeat):
    (exeat.directory / "names.txt").write_text("".join(f"name{n}.reload.test\n" for n in range(1_000_000)))
    with open_tunnel(exeat, "a.reload.test:7") as s:
        exeat.write_allowlist(hosts_file(exeat, "# a million\n"))
        wait_until(lambda: alive(s) and connect_reply(exeat, "name999999.reload.test:7").status == 200, 120, "a million names are in force")
        assert alive(s)
    exeat.caught_up()
    for n in (0, 500_000):
        assert connect_reply(exeat, f"name{n}.reload.test:7").status == 200
    assert connect_reply(exeat, "name1000000.reload.test:7").reason == "not_allowed"
    wait_until(lambda: "1000001" in exeat.fetch("/api/status")[1])


def test_an_edit_while_the_list_is_being_loaded_is_not_missed(exeat):
    """Ten times while a hundred thousand names are read, each time at another moment."""
    (exeat.directory / "names.txt").write_text("".join(f"name{n}.reload.test\n" for n in range(100_000)))
    for n in range(10):
        exeat.write_allowlist(hosts_file(exeat, f"# first {n}\n"))
        exeat.signal(signal.SIGHUP)
        time.sleep(n / 100)
        last = hosts_file(exeat, f"# second {n}\n")
        exeat.write_allowlist(last)
        in_force = {"sha256": digest_of(exeat, last)}
        wait_until(lambda: exeat.metrics().has("exeat_policy_info", **in_force), 60, f"edit {n} is in force")  # noqa: B023


def test_a_reload_while_a_request_waits_for_dns_uses_one_list_for_it(lab):
    """I7: the list that revokes it wins, whenever it comes."""
    lab.dns.set("slow.reload.test", behave="silent")
    mark = lab.dns.mark()
    with lab.exeat(allowlist("a.reload.test", "slow.reload.test"), dns={"timeout": "60s"}) as exeat, exeat.connect(timeout=120) as s:
        s.sendall(b"CONNECT slow.reload.test:7 HTTP/1.1\r\nHost: slow.reload.test:7\r\n\r\n")
        wait_until(lambda: lab.dns.asked("slow.reload.test", mark))
        exeat.reload(BASE)
        reply = Reply(s)
        assert (reply.status, reply.reason) == (403, "policy_revoked")


def test_nothing_reloads_while_nothing_changes(lab):
    """For longer than its poll (file_watch.cpp), from the start on: nothing that was written before is still on its way."""
    with lab.exeat(BASE) as exeat:
        stays(lambda: exeat.metric("policy_reloads_total") == 0, 3)
