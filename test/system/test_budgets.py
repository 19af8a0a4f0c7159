"""L1, L3: what a client may upload, to the byte, over all workers, while the tunnel is open. A start without a snapshot counts half as spent,
so what is left of a budget at first is half of it."""
import contextlib
import datetime
import socket
import threading
import time

import pytest
from harness.capture import Capture
from harness.client import Reply, ask, connect_reply, gone, http_request, open_tunnel, read_exactly, read_to_end
from harness.exeat import run
from harness.http_origin import reply
from harness.origin import swallow
from harness.preload import Preload
from harness.wait import stays, wait_until

MEBIBYTE = 1 << 20


def entry(name, port, more, protocol="tcp"):
    return f'[[allow]]\nname = "{name}"\nhosts = ["{name}.budget.test"]\nports = [{port}]\nprotocol = "{protocol}"\n{more}\n'


ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.0/8"]
""" + "".join([
    entry("cut", 9, 'upload = "2 MiB/1h"'),
    entry("crowd", 9, 'upload = "8 MiB/1h"'),
    entry("day", 9, 'upload = ["100 MiB/1h", "3 MiB/24h"]'),
    entry("total", 9, 'upload = "100 MiB/1h"\nupload_total = "4 MiB/1h"'),
    entry("alert", 9, 'upload = "1 MiB/1h"\non_budget = "alert"'),
    entry("throttle", 9, 'upload = "1 MiB/1h"\non_budget = "throttle"'),
    entry("reload", 9, 'upload = "2 MiB/1h"'),
    entry("pull", 9, ""),
    entry("reader", 7, 'purpose = "pull"'),
    entry("api", 9, 'purpose = "api"'),
    entry("slow", 11, 'upload = "64 KiB/1h"'),
    entry("deaf", 12, 'upload = "64 KiB/1h"'),
    entry("plain", 80, 'upload = "1 MiB/1h"', "http"),
])
SINKS = ["cut", "crowd", "day", "total", "alert", "throttle", "reload", "pull", "api"]


class Gate:
    """An origin that reads nothing until it is let."""

    def __init__(self, then):
        self.open, self._then = threading.Event(), then

    def __call__(self, peer):
        self.open.wait(120)
        self._then(peer)


slow, deaf = Gate(swallow), Gate(lambda peer: None)


@pytest.fixture(scope="module")
def origins(lab):
    out = {}
    for name in SINKS:
        host, _ = lab.place(f"{name}.budget.test", v6=False)
        out[name] = lab.origin(host, 9, serve=swallow)
    host, _ = lab.place("reader.budget.test", v6=False)
    out["reader"] = lab.origin(host, 7, serve=lambda peer: peer.recv() and peer.send(bytes(1000 * MEBIBYTE)) or swallow(peer))
    for name, port, serve in (("slow", 11, slow), ("deaf", 12, deaf)):
        host, _ = lab.place(f"{name}.budget.test", v6=False)
        out[name] = lab.origin(host, port, serve=serve, buffer=4096)
    host, _ = lab.place("plain.budget.test", v6=False)
    out["plain"] = lab.http_origin(host, routes={"*": reply(b"thanks")})
    return out


@pytest.fixture
def exeat(lab, origins):
    for o in origins.values():
        o.clear()
    with lab.exeat(ALLOWLIST, limits={"workers": 4}) as running:
        yield running


def push(s, most, piece=65536):
    """Sends until it is cut or has sent all; returns nothing, for what was sent is what the origin has."""
    try:
        for _ in range(most // piece):
            s.sendall(bytes(piece))
        s.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def uploaded(exeat, origins, name):
    """What left the machine. A cut is a reset, which may take back what the origin had not read yet, but adds nothing."""
    exeat.settled()
    wait_until(origins[name].at_rest)
    counted = exeat.metric("bytes_total", entry=name, direction="upload")
    assert origins[name].received_bytes <= counted
    return counted


@pytest.mark.parametrize("name, left", [("cut", MEBIBYTE), ("day", 3 * MEBIBYTE // 2)])
@pytest.mark.parametrize("piece", [1_000, 65_536, MEBIBYTE], ids=["small", "copied", "spliced"])
def test_a_tunnel_is_cut_when_its_budget_is_spent_and_not_a_byte_later(exeat, origins, name, left, piece):
    with open_tunnel(exeat, f"{name}.budget.test:9") as s:
        push(s, 20 * MEBIBYTE, piece)
        assert gone(s)
    assert uploaded(exeat, origins, name) == left
    assert exeat.metric("tunnels_closed_total", cause="budget") == 1
    assert exeat.metric("budget_exceeded_total", purpose="pull", action="cut") == 1
    (line,) = exeat.audit(event__action="close")
    assert (line["event.reason"], line["source.bytes"], line["rule.name"]) == ("budget", left, name)


def test_what_a_cut_tunnel_was_counted_for_still_leaves(exeat, origins, tmp_path):
    """The reset that follows would take it back."""
    with Capture(tmp_path / "pcap", "tcp dst port 11") as seen:
        with open_tunnel(exeat, "slow.budget.test:11") as s:
            push(s, 20 * MEBIBYTE)
            assert gone(s)
            slow.open.set()
        wait_until(lambda: exeat.metric("connections_active") == 0)
        seen.stop()
    assert seen.bytes_to(11) == 32 * 1024 == exeat.metric("bytes_total", entry="slow", direction="upload")
    wait_until(origins["slow"].at_rest)
    assert origins["slow"].peers[0].failed is not None, "it is a cut to the origin, too"


def test_an_origin_that_takes_nothing_holds_a_cut_tunnel_no_longer_than_a_second(exeat, origins):
    with open_tunnel(exeat, "deaf.budget.test:12") as s:
        push(s, 20 * MEBIBYTE)
        assert gone(s)
        wait_until(lambda: exeat.metric("connections_active") == 0, what="it ends, though the origin does nothing yet")
        ended = time.time()
        (line,) = wait_until(lambda: exeat.audit(event__action="close"))
        assert line["event.reason"] == "budget"
        told = datetime.datetime.fromisoformat(line["@timestamp"].replace("Z", "+00:00")).timestamp()
        assert ended - told > 0.5, "the line has not waited for that second"
    deaf.open.set()


def test_a_spent_budget_refuses_the_next_tunnel_before_anything_leaves(lab, exeat, origins):
    with open_tunnel(exeat, "cut.budget.test:9") as s:
        push(s, 4 * MEBIBYTE)
        assert gone(s)
    lab.topology.forget_dialled()
    got = connect_reply(exeat, "cut.budget.test:9")
    assert (got.status, got.reason) == (403, "budget")
    assert not lab.topology.dialled()
    assert connect_reply(exeat, "cut.budget.test:9", host="::1").reason == "source_not_allowed"
    with exeat.connect(source="127.0.0.2") as s:
        s.sendall(b"CONNECT cut.budget.test:9 HTTP/1.1\r\nHost: cut.budget.test:9\r\n\r\n")
        assert s.recv(100).startswith(b"HTTP/1.1 200")  # another client has a budget of its own


def test_all_workers_pushing_at_once_send_the_budget_and_not_a_byte_more(exeat, origins):
    """Sixteen tunnels of one client, spread over four workers."""
    tunnels = [open_tunnel(exeat, "crowd.budget.test:9") for _ in range(16)]
    threads = [threading.Thread(target=push, args=(s, 4 * MEBIBYTE)) for s in tunnels]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert all(gone(s) for s in tunnels)
    assert uploaded(exeat, origins, "crowd") == 4 * MEBIBYTE


def test_the_budget_of_an_entry_over_all_clients_holds_for_all_together(exeat, origins):
    tunnels = []
    for n in range(2, 8):
        s = exeat.connect(source=f"127.0.0.{n}")
        s.sendall(b"CONNECT total.budget.test:9 HTTP/1.1\r\nHost: total.budget.test:9\r\n\r\n")
        assert s.recv(100).startswith(b"HTTP/1.1 200")
        tunnels.append(s)
    for s in tunnels:
        push(s, 2 * MEBIBYTE)
    assert uploaded(exeat, origins, "total") == 2 * MEBIBYTE


def test_alert_lets_it_go_on_and_says_so_once(exeat, origins):
    with open_tunnel(exeat, "alert.budget.test:9") as s:
        push(s, 4 * MEBIBYTE)
        assert gone(s)
    wait_until(origins["alert"].at_rest)
    assert origins["alert"].received_bytes == 4 * MEBIBYTE
    assert exeat.metric("budget_exceeded_total", purpose="pull", action="alert") == 1
    assert exeat.metric("tunnels_closed_total", cause="budget") == 0
    assert connect_reply(exeat, "alert.budget.test:9").status == 200


def test_throttle_holds_the_tunnel_and_sends_no_byte_beyond(exeat, origins):
    with open_tunnel(exeat, "throttle.budget.test:9", timeout=300) as s:
        sender = threading.Thread(target=push, args=(s, 64 * MEBIBYTE))
        sender.start()
        wait_until(lambda: origins["throttle"].received_bytes == MEBIBYTE // 2)
        wait_until(lambda: exeat.metric("budget_exceeded_total", purpose="pull", action="throttle") == 1)
        stays(lambda: origins["throttle"].received_bytes == MEBIBYTE // 2, 1)
        assert exeat.metric("tunnels_active", purpose="pull") == 1 and sender.is_alive()
        assert exeat.metric("budget_exceeded_total", purpose="pull", action="throttle") == 1
        s.shutdown(socket.SHUT_RDWR)
        sender.join()


def test_report_mode_lets_it_pass_and_reports_it(exeat, origins):
    until = f"{datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    exeat.reload(f'mode = "report"\nreport_until = {until}\n' + ALLOWLIST)
    with open_tunnel(exeat, "cut.budget.test:9") as s:
        push(s, 4 * MEBIBYTE)
        assert gone(s)
    wait_until(origins["cut"].at_rest)
    assert origins["cut"].received_bytes == 4 * MEBIBYTE
    assert exeat.metric("budget_exceeded_total", purpose="pull", action="report") == 1
    assert connect_reply(exeat, "cut.budget.test:9").status == 200
    wait_until(lambda: exeat.metric("reported_total", reason="budget") == 1)


def test_a_reload_that_gives_more_lets_it_go_on_and_one_that_gives_less_ends_it(exeat, origins):
    with open_tunnel(exeat, "reload.budget.test:9") as s:
        s.sendall(bytes(MEBIBYTE))
        wait_until(lambda: origins["reload"].received_bytes == MEBIBYTE)
        exeat.reload(ALLOWLIST.replace(entry("reload", 9, 'upload = "2 MiB/1h"'), entry("reload", 9, 'upload = "8 MiB/1h"')))
        s.sendall(bytes(MEBIBYTE))
        wait_until(lambda: origins["reload"].received_bytes == 2 * MEBIBYTE)
        exeat.reload(ALLOWLIST.replace(entry("reload", 9, 'upload = "2 MiB/1h"'), entry("reload", 9, 'upload = "3 MiB/1h"')))
        s.sendall(b"x")
        assert gone(s)
    assert uploaded(exeat, origins, "reload") == 2 * MEBIBYTE


def test_reloads_give_nothing_back(exeat, origins):
    for n in range(3):
        with open_tunnel(exeat, "cut.budget.test:9") if n == 0 else exeat.connect() as s:
            if n == 0:
                push(s, 4 * MEBIBYTE)
                assert gone(s)
        exeat.reload(ALLOWLIST + f'# {n}\n[[deny]]\nname = "other{n}"\nhosts = ["other.test"]\n')
        assert connect_reply(exeat, "cut.budget.test:9").reason == "budget"


def test_without_a_budget_of_its_own_an_entry_has_its_purposes(exeat, origins):
    """pull: 4 MiB an hour, beyond 12 KiB for each tunnel; api: 64 MiB."""
    with open_tunnel(exeat, "pull.budget.test:9") as s:
        push(s, 8 * MEBIBYTE)
    assert uploaded(exeat, origins, "pull") == 2 * MEBIBYTE + 12 * 1024
    assert connect_reply(exeat, "pull.budget.test:9").reason == "budget"
    assert connect_reply(exeat, "reader.budget.test:7").reason == "budget"  # the same purpose
    with open_tunnel(exeat, "api.budget.test:9") as s:
        push(s, 8 * MEBIBYTE)
        assert gone(s)
    wait_until(lambda: origins["api"].received_bytes == 8 * MEBIBYTE)


def test_what_is_downloaded_makes_room_for_what_pulling_costs(exeat, origins):
    """A thousandth of it, to 2 MiB an hour."""
    with open_tunnel(exeat, "reader.budget.test:7") as s:
        s.sendall(b"?")
        assert len(read_exactly(s, 1000 * MEBIBYTE)) == 1000 * MEBIBYTE
        push(s, 8 * MEBIBYTE)
        assert read_to_end(s) is not None
    assert uploaded(exeat, origins, "reader") == 2 * MEBIBYTE + 12 * 1024 + MEBIBYTE


def test_what_is_said_to_be_used_of_a_purposes_budget_is_what_it_counts(exeat, origins):
    """Neither what pulling costs, nor what an entry's own budget is for: both would be an alarm over nothing."""
    with open_tunnel(exeat, "crowd.budget.test:9") as s:
        push(s, 2 * MEBIBYTE)
    for _ in range(2):
        with open_tunnel(exeat, "pull.budget.test:9") as s:
            s.sendall(bytes(12 * 1024))
    used = lambda name: exeat.metric(name, client="lab/127.0.0.1", purpose="pull", window="1h") - exeat.metric(name, client="lab/127.0.0.1", entry="crowd", window="1h")
    wait_until(lambda: used("client_upload_window_bytes") == 2 * MEBIBYTE + 24 * 1024)
    assert used("client_upload_counted_bytes") == 0 and exeat.metrics().has("exeat_client_upload_counted_bytes", purpose="pull")
    with open_tunnel(exeat, "pull.budget.test:9") as s:
        s.sendall(bytes(12 * 1024 + 1000))
    wait_until(lambda: used("client_upload_counted_bytes") == 1000)
    assert exeat.metric("client_upload_counted_bytes", entry="crowd", window="1h") == 2 * MEBIBYTE
    assert exeat.metric("upload_budget_bytes", entry="crowd") == 8 * MEBIBYTE
    assert exeat.metric("entry_upload_budget_bytes", entry="total", window="1h") == 4 * MEBIBYTE


def test_a_body_beyond_the_budget_is_refused_in_the_middle(exeat, origins):
    with exeat.connect() as s:
        assert ask(s, http_request("POST", "http://plain.budget.test/", ["Content-Length: 1000"], bytes(1000))).status == 200
        request = http_request("POST", "http://plain.budget.test/", [f"Content-Length: {MEBIBYTE}"])
        s.sendall(request)
        try:
            s.sendall(bytes(MEBIBYTE))
        except ConnectionError:
            pass
        got = Reply(s)
        assert (got.status, got.reason) == (403, "budget")
    with exeat.connect() as s:
        assert ask(s, http_request("GET", "http://plain.budget.test/")).reason == "budget"
    exeat.settled()
    assert exeat.metric("bytes_total", entry="plain", direction="upload") == MEBIBYTE // 2
    assert exeat.metric("denied_total", reason="budget") == 2


def test_a_restart_is_no_reset(lab, origins, tmp_path):
    """L3: neither a clean end nor kill -9; and without what was known before, half counts as spent."""
    state = tmp_path / "state"
    state.mkdir()
    running = lab.exeat(ALLOWLIST)
    config = running.config_path.read_text().replace("[policy]\n", f'[policy]\nstate = "{state}"\n')
    running.config_path.write_text(config)

    def spend(exeat, most):
        with open_tunnel(exeat, "cut.budget.test:9") as s:
            push(s, most)
            return uploaded(exeat, origins, "cut")

    with running as exeat:
        assert spend(exeat, 8 * MEBIBYTE) == MEBIBYTE
        exeat.stop()
        exeat.start()
        assert connect_reply(exeat, "cut.budget.test:9").reason == "budget"
        exeat.process.kill()
        exeat.process.wait()
        exeat.start()
        assert connect_reply(exeat, "cut.budget.test:9").reason == "budget"
        exeat.stop()
        (state / "uploads").write_bytes(b"exeat-uploads-1\n damaged")
        exeat.start()
        assert "damaged" in exeat.log() and connect_reply(exeat, "cut.budget.test:9").status == 200


def test_however_often_it_is_killed_a_client_sends_no_more_than_its_budget(lab, origins, tmp_path):
    """What was sent since the last snapshot is in the tally."""
    state = tmp_path / "state"
    state.mkdir()
    running = lab.exeat(ALLOWLIST, policy={"state": str(state)})
    assert run("state", "init", "--config", running.config_path).returncode == 0
    with running as exeat:
        origins["cut"].clear()
        for _ in range(8):
            with contextlib.suppress(AssertionError, ConnectionError), open_tunnel(exeat, "cut.budget.test:9") as s:
                push(s, MEBIBYTE // 4)
                wait_until(lambda: exeat.metric("bytes_total", entry="cut", direction="upload") >= MEBIBYTE // 4)
            exeat.process.kill()
            exeat.process.wait()
            exeat.start()
        assert connect_reply(exeat, "cut.budget.test:9").reason == "budget"
        assert "half of every upload budget" not in exeat.log()
    assert MEBIBYTE < origins["cut"].received_bytes <= 2 * MEBIBYTE


def test_an_old_state_that_is_put_back_clears_nothing(lab, origins, tmp_path):
    """One that a clean end left, with the whole budget: the audit log goes on after it, so half counts as spent."""
    clock = Preload(tmp_path / "clock", allocations=False)
    state = tmp_path / "state"
    state.mkdir()
    running = lab.exeat(ALLOWLIST, before=clock.before, policy={"state": str(state)})
    for hours in (3, 1.5):  # what was before the first start is no longer in any window at the second
        clock.tell(wall_offset=-int(hours * 3600))
        running.start()
        running.stop()
    old = (state / "uploads").read_bytes()
    clock.tell(wall_offset=0)

    def spend(exeat):
        with open_tunnel(exeat, "cut.budget.test:9") as s:
            push(s, 8 * MEBIBYTE)
        wait_until(lambda: exeat.metric("connections_active") == 0)
        return exeat.metric("bytes_total", entry="cut", direction="upload")

    with running as exeat:
        assert spend(exeat) == 2 * MEBIBYTE
        exeat.stop()
        (state / "uploads").write_bytes(old)
        exeat.start()
        assert spend(exeat) == MEBIBYTE


def test_a_state_directory_that_cannot_be_written_prevents_the_start(lab, tmp_path):
    running = lab.exeat(ALLOWLIST)
    running.config_path.write_text(running.config_path.read_text().replace("[policy]\n", f'[policy]\nstate = "{tmp_path}/none"\n'))
    got = run("serve", "--config", running.config_path)
    assert got.returncode == 1 and f"state: the directory {tmp_path}/none does not exist; make it" in got.stderr
