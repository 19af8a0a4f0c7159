"""first_seen with an action is a budget: a host that is new to a known client gets so much an hour over all workers, measured where it arrives."""
import socket
import threading

import pytest
from harness.capture import Capture
from harness.client import connect_reply, connect_request, gone, http_request, open_tunnel, read_exactly
from harness.http_origin import reply
from harness.origin import swallow
from harness.preload import Preload
from harness.wait import stays, wait_until

DAY, MIB = 86_400, 1 << 20
BUDGET = 8 * MIB


def entry(name, port, protocol="tcp"):
    return f'[[allow]]\nname = "{name}"\nhosts = ["{name}.new.test", "other-{name}.new.test"]\nports = [{port}]\nprotocol = "{protocol}"\nupload = "100 GiB/1h"\nmax_age = "30d"\n'


ALLOWLIST = 'serial = 1\n[groups.lab]\nsources = ["127.0.0.0/8"]\n' + entry("old", 7) + entry("drop", 9) + entry("plain", 80, "http")


@pytest.fixture(scope="module")
def origins(lab):
    out = {}
    for name, port, serve in [("old", 7, None), ("drop", 9, swallow), ("other-drop", 9, swallow)]:
        host, _ = lab.place(f"{name}.new.test", v6=False)
        out[name] = lab.origin(host, port, **({"serve": serve} if serve else {}))
    host, _ = lab.place("plain.new.test", v6=False)
    out["plain"] = lab.http_origin(host, routes={"*": reply(b"thanks")})
    return out


@pytest.fixture
def clock(tmp_path):
    return Preload(tmp_path / "clock", allocations=False)


@pytest.fixture
def known(lab, origins, clock):
    """An exeat whose client is known for more than a day."""
    running = []

    def of(action, allowlist=ALLOWLIST, threshold=BUDGET):
        for o in origins.values():
            o.clear()
        exeat = lab.exeat(allowlist, limits={"workers": 4, "idle_timeout": "7d"}, before=clock.before)
        exeat.config_path.write_text(exeat.config_path.read_text() + (f'[detect.first_seen]\naction = "{action}"\nthreshold = {threshold}\n' if action else ""))
        exeat.start()
        running.append(exeat)
        with open_tunnel(exeat, "old.new.test:7") as s:
            s.sendall(b"ping")
            read_exactly(s, 4)
        wait_until(lambda: exeat.audit(event__action="close"))
        clock.tell(wall_offset=DAY + 60)
        return exeat

    yield of
    for exeat in running:
        exeat.stop()


def push(s, most=200 * MIB):
    try:
        for _ in range(most // 65536):
            s.sendall(bytes(65536))
        s.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def all_push(tunnels, most=200 * MIB):
    threads = [threading.Thread(target=push, args=(s, most)) for s in tunnels]
    for t in threads:
        t.start()
    return threads


def ask_and_push(exeat):
    """Perhaps refused: the others may have sent what there was."""
    with exeat.connect() as s:
        s.sendall(connect_request("drop.new.test:9"))
        if s.recv(1000).startswith(b"HTTP/1.1 200"):
            push(s)
            assert gone(s)


def found(exeat, action):
    return exeat.metric("anomalies_total", detector="first_seen", action=action)


def left_the_machine(exeat, entry="drop"):
    exeat.settled()
    return exeat.metric("bytes_total", entry=entry, direction="upload")


@pytest.mark.parametrize("budget", [BUDGET, 100_000], ids=["8 MiB", "100 kB"])
def test_all_workers_at_once_send_the_budget_and_not_a_byte_more(known, origins, tmp_path, budget):
    """At the full speed of this machine, from the first byte on: nobody waits for the detectors."""
    exeat = known("cut", threshold=budget)
    with Capture(tmp_path / "pcap", "tcp dst port 9") as seen:
        asked = [threading.Thread(target=ask_and_push, args=(exeat,)) for _ in range(12)]
        for each in (threading.Thread.start, threading.Thread.join):
            for t in asked:
                each(t)
        assert left_the_machine(exeat) == budget
        seen.stop()
    assert 0 < seen.bytes_to(9) <= budget, "the reset of a tunnel that the finding cuts takes back what had not left"
    wait_until(lambda: found(exeat, "cut") == 1)
    wait_until(lambda: exeat.audit(event__action="anomaly"))
    (line,) = exeat.audit(event__action="anomaly")
    assert line["exeat.detector.name"] == "first_seen" and line["exeat.detector.value"] == line["exeat.detector.threshold"] == pytest.approx(budget, 1e-5)
    opened = exeat.audit(event__action="open", rule__name="drop")
    assert opened and exeat.metric("tunnels_closed_total", cause="anomaly") == len(opened)
    exeat.caught_up()
    assert connect_reply(exeat, "drop.new.test:9").reason == "anomaly"
    assert connect_reply(exeat, "old.new.test:7").status == 200


def test_throttled_all_workers_at_once_send_the_budget_and_wait(known, origins):
    exeat = known("throttle")
    tunnels = [open_tunnel(exeat, "drop.new.test:9") for _ in range(12)]
    threads = all_push(tunnels, 12 * MIB)
    wait_until(lambda: origins["drop"].received_bytes == BUDGET, what="the budget has arrived")
    wait_until(lambda: found(exeat, "throttle") == 1)
    stays(lambda: origins["drop"].received_bytes == BUDGET, 1)
    assert exeat.metric("tunnels_active") == len(tunnels)
    exeat.reload(ALLOWLIST.replace("serial = 1", "serial = 2").replace(entry("drop", 9), ""))
    assert all(gone(s) for s in tunnels)
    for t in threads:
        t.join()
    assert left_the_machine(exeat) == BUDGET


def test_throttle_waits_until_the_hour_is_over_and_goes_on(known, origins, clock):
    exeat = known("throttle")
    with open_tunnel(exeat, "drop.new.test:9", timeout=300) as s:
        (thread,) = all_push([s], 12 * MIB)
        wait_until(lambda: origins["drop"].received_bytes == BUDGET, what="the budget has arrived")
        wait_until(lambda: found(exeat, "throttle") == 1)
        stays(lambda: origins["drop"].received_bytes == BUDGET, 1)
        clock.tell(steady_offset=61 * 60)  # over is the hour of the budget, and that of the finding's throttle
        wait_until(lambda: origins["drop"].received_bytes == 12 * MIB)
        thread.join()
    exeat.settled()
    assert exeat.metric("tunnels_closed_total", cause="finished") == 2


def test_an_old_host_another_client_and_a_day_later_are_not_held(known, origins, clock):
    exeat = known("cut")
    with open_tunnel(exeat, "old.new.test:7") as s:
        thread = threading.Thread(target=s.sendall, args=(bytes(20 * MIB),))
        thread.start()
        assert len(read_exactly(s, 20 * MIB)) == 20 * MIB
        thread.join()
    with exeat.connect(source="127.0.0.5") as s:
        s.sendall(b"CONNECT drop.new.test:9 HTTP/1.1\r\nHost: drop.new.test:9\r\n\r\n")
        assert s.recv(1000).startswith(b"HTTP/1.1 200")
        push(s, 20 * MIB)
        assert gone(s)
    wait_until(lambda: origins["drop"].received_bytes == 20 * MIB)
    with open_tunnel(exeat, "other-drop.new.test:9") as s:
        wait_until(lambda: len(exeat.audit(event__action="open")) == 4)
        clock.tell(steady_offset=DAY + 60, wall_offset=2 * DAY + 120)
        stays(lambda: found(exeat, "cut") == 0, 1.5)
        push(s, 20 * MIB)
        wait_until(lambda: origins["other-drop"].received_bytes == 20 * MIB)


def test_a_plain_request_to_a_new_host_is_cut_in_the_middle_and_the_next_is_refused(known, origins):
    exeat = known("cut")
    with exeat.connect() as s:
        s.sendall(http_request("POST", "http://plain.new.test/", [f"Content-Length: {20 * MIB}"]))
        push(s, 20 * MIB)
        assert b"X-Exeat-Reason: anomaly" in s.recv(4096)
    assert left_the_machine(exeat, "plain") == BUDGET
    wait_until(lambda: connect_reply(exeat, "drop.new.test:9").status == 200)


def test_observed_it_is_no_budget(known, origins):
    exeat = known(None)
    with open_tunnel(exeat, "drop.new.test:9") as s:
        push(s, 20 * MIB)
        assert gone(s)
    wait_until(lambda: found(exeat, "observe") == 1)
    assert origins["drop"].received_bytes == 20 * MIB
