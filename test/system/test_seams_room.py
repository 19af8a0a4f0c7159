"""What connections hold beyond what they were admitted with: descriptors of pipes and of attempts to connect, old lists; and urgent data."""
import contextlib
import signal
import socket
import threading

import pytest
from harness.client import Reply, connect_reply, connect_request, http_request, open_tunnel, read_exactly, reset_on_close, take_head
from harness.exeat import free_port
from harness.http_origin import reply
from harness.wait import sanitized, wait_until

MEBIBYTE = 1 << 20
ALLOWLIST = """
serial = 7
[defaults]
upload = "100 GiB/1h"
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "raw"
hosts = ["bulk.room.test", "hole.room.test"]
ports = [7, 9, 11, 13]
protocol = "tcp"
[[allow]]
name = "plain"
hosts = ["bulk.room.test"]
protocol = "http"
"""
ECHO, STALL, URGENT, DEAF = (f"bulk.room.test:{port}" for port in (7, 9, 11, 13))
FDS = 512
FEW_DESCRIPTORS = ["prlimit", f"--nofile={FDS}:{FDS}"]


class Stall:
    """An origin that sends as much as it can and reads nothing until it is let."""

    def __init__(self):
        self.over = threading.Event()

    def __call__(self, peer):
        peer.sock.setblocking(False)
        while not self.over.wait(0.2):
            fill(peer.sock)


def fill(s):
    """As much as goes now; whether that was anything."""
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            sent += s.send(bytes(MEBIBYTE))
    return sent > 0


stall = Stall()


@pytest.fixture(scope="module", autouse=True)
def origins(lab):
    host, _ = lab.place("bulk.room.test", v6=False)
    lab.http_origin(host, routes={"*": reply(b"thanks")})
    lab.origin(host, 7)
    lab.origin(host, 9, stall, buffer=65536)
    lab.origin(host, 11, take_or_give_urgent)
    deaf_until = threading.Event()
    lab.origin(host, 13, lambda peer: deaf_until.wait(120), buffer=65536)
    yield
    stall.over.set()
    deaf_until.set()


# ---- descriptors


def stalled_tunnel(exeat):
    """Or the reply that refuses it."""
    s = exeat.connect()
    s.sendall(connect_request(STALL))
    head = take_head(s)
    if not head.startswith(b"HTTP/1.1 200 "):
        with s:
            return None, Reply(s, head)
    s.setblocking(False)
    fill(s)
    return s, None


def test_tunnels_that_stall_in_both_directions_take_no_descriptor_of_others(lab):
    with lab.exeat(ALLOWLIST, before=FEW_DESCRIPTORS, limits={"idle_timeout": "1h"}) as exeat:
        held, said = [], None
        while said is None:
            s, said = stalled_tunnel(exeat)
            held += [s] if s else []
            assert len(held) < FDS / 2
        assert (said.status, said.reason) == (503, "overload")
        assert len(held) > 64, "it is no refusal of everybody"
        moved = lambda: (exeat.metric("bytes_total", direction="upload"), exeat.metric("bytes_total", direction="download"))

        def stands():
            before = moved()
            pushed = [fill(s) for s in held]
            return not any(pushed) and moved() == before

        wait_until(stands, 60, "every pipe is full", step=0.1)
        assert exeat.open_descriptors() < FDS - 16, "some are left for others"
        assert exeat.fetch("/metrics")[0] == 200
        refused = connect_reply(exeat, ECHO)
        assert (refused.status, refused.reason) == (503, "overload")
        exeat.audit_path.rename(exeat.audit_path.with_suffix(".1"))
        exeat.signal(signal.SIGUSR1)
        wait_until(exeat.audit_path.exists, what="the audit log is opened anew")
        assert connect_reply(exeat, ECHO).reason == "overload"
        wait_until(lambda: exeat.audit(event__action="deny", event__reason="overload"))
        for s in held:
            s.close()
        stall.over.set()
        wait_until(lambda: exeat.metric("connections_active") == 0, 60)
        assert exeat.metric("accept_pauses_total") == 0
        with open_tunnel(exeat, ECHO) as s:
            s.sendall(b"ping")
            assert read_exactly(s, 4) == b"ping"


ADDRESSES, DIALLING = 8, 60
WORKERS, SPARE = 2, 16  # of one worker: limits.hpp, spare_part


def test_attempts_to_connect_share_what_is_left_of_the_descriptors(lab):
    there = [lab.addresses()[0] for _ in range(ADDRESSES)]
    lab.dns.set("hole.room.test", *there)
    for address in there:
        lab.topology.blackhole(address)
    with lab.exeat(ALLOWLIST, before=FEW_DESCRIPTORS, limits={"workers": WORKERS, "connect_timeout": "4m"}) as exeat:
        assert connect_reply(exeat, ECHO).status == 200
        wait_until(lambda: exeat.metric("connections_active") == 0)
        idle = exeat.open_descriptors()
        most = idle + 2 * DIALLING + WORKERS * SPARE
        lab.topology.forget_dialled()
        held = [exeat.connect() for _ in range(DIALLING)]
        for s in held:
            s.sendall(connect_request("hole.room.test:7"))

        def all_dialled():
            open_now = exeat.open_descriptors()
            assert open_now <= most + 2, f"{open_now} descriptors, {most} is their share"  # one for the page, one for the log
            return exeat.metric("upstream_errors_total") >= (ADDRESSES - 1) * DIALLING - WORKERS * SPARE

        wait_until(all_dialled, 60, "every address was tried for every client")
        assert {address for address, port in lab.topology.dialled()} == set(there)
        assert connect_reply(exeat, ECHO).status == 200, "others are served meanwhile"
        assert exeat.metric("accept_pauses_total") == 0
        for s in held:
            reset_on_close(s)  # an orderly end might be that of a request
            s.close()
        wait_until(lambda: exeat.metric("connections_active") == 0, 60)
        wait_until(lambda: exeat.open_descriptors() <= idle)


# ---- urgent data

PIECE = bytes(b for b in range(256) if b != ord("!")) * 4096  # about a MiB
PIECES, MARKS = 12, 5
BULK = PIECE * PIECES


def send_with_urgent(s):
    """The bulk with an urgent '!' within, MARKS times."""
    for n in range(PIECES):
        s.sendall(PIECE[: len(PIECE) // 2])
        if n in range(3, 3 + MARKS):
            s.send(b"!", socket.MSG_OOB)
        s.sendall(PIECE[len(PIECE) // 2 :])
    s.shutdown(socket.SHUT_WR)


def receive_all(s):
    out = bytearray()
    while got := s.recv(262144):
        out += got
    return bytes(out)


uploads = []


def take_or_give_urgent(peer):
    """'u': keeps what the client uploads; 'd': sends the bulk."""
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
    if peer.sock.recv(1) == b"d":
        return send_with_urgent(peer.sock)
    uploads.append(receive_all(peer.sock))


def without_marks(received):
    """That is the bulk; the urgent bytes themselves are in the stream or left out."""
    assert received.count(b"!") <= MARKS
    return received.replace(b"!", b"")


@pytest.fixture(scope="module")
def exeat(lab):
    with lab.exeat(ALLOWLIST) as running:
        yield running


def told_bytes(exeat, lines):
    exeat.settled()
    (line,) = exeat.audit(lines, event__action="close")
    assert line["event.reason"] == "finished"
    return line["source.bytes"], line["destination.bytes"]


def test_an_urgent_byte_within_an_upload_stops_nothing(exeat):
    lines = exeat.settled()
    uploads.clear()
    with open_tunnel(exeat, URGENT, timeout=60) as s:
        s.sendall(b"u")
        send_with_urgent(s)
        assert receive_all(s) == b""
    (received,) = wait_until(lambda: uploads)
    assert without_marks(received) == BULK
    assert told_bytes(exeat, lines) == (1 + len(received), 0)


def test_an_urgent_byte_within_a_download_stops_nothing(exeat):
    lines = exeat.settled()
    with open_tunnel(exeat, URGENT, timeout=60) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
        s.sendall(b"d")
        received = receive_all(s)
        s.shutdown(socket.SHUT_WR)
    assert without_marks(received) == BULK
    assert told_bytes(exeat, lines) == (1, len(received))


# ---- a client that goes while its upload waits


@pytest.mark.parametrize("target, upload", [(ECHO, "64 KiB/1h"), (DEAF, "100 GiB/1h")], ids=["for its budget", "for its origin"])
def test_a_client_that_resets_while_its_upload_waits_ends_its_tunnel(lab, target, upload):
    """Nothing of it comes any more, and nobody takes what the origin says: it keeps no descriptor and no place."""
    waits = ALLOWLIST.replace("100 GiB/1h", upload).replace('protocol = "tcp"\n', 'protocol = "tcp"\non_budget = "throttle"\n')
    with lab.exeat(waits, limits={"idle_timeout": "1h"}) as exeat:
        with open_tunnel(exeat, target) as s:
            s.setblocking(False)
            wait_until(lambda: not fill(s), step=0.5, what="the upload waits")
            reset_on_close(s)
        wait_until(lambda: exeat.metric("connections_active") == 0, what="the reset ends the tunnel")


# ---- memory of old lists

NAMES, RELOADS = 100_000, 12


def settled_memory(exeat):
    exeat.caught_up()
    return exeat.resident_bytes()


def memory_after_reloads(lab, sni, open_one):
    """RSS with the first list, and after so many reloads, with a connection opened between each; and without any list to speak of."""
    listen = [{"mode": "sni", "address": f"127.0.0.1:{sni}", "port": 443}]
    with lab.exeat(ALLOWLIST, listen=listen, limits={"idle_timeout": "1h", "hello_timeout": "5m"}) as exeat, contextlib.ExitStack() as held:
        (exeat.directory / "names.txt").write_text("".join(f"name{n}.room.test\n" for n in range(NAMES)))
        many = ALLOWLIST + '[[allow]]\nname = "many"\nhosts_file = "names.txt"\n'
        small = settled_memory(exeat)
        exeat.reload(many + "# 0\n")
        first = settled_memory(exeat)
        for n in range(RELOADS):
            if open_one:
                held.enter_context(open_one(exeat))
                wait_until(lambda: exeat.metric("connections_active") == n + 1)  # noqa: B023
            exeat.reload(many + f"# {n + 1}\n")
        return small, first, settled_memory(exeat)


def idle_http(exeat):
    s = exeat.connect()
    s.sendall(http_request("GET", "http://bulk.room.test/"))
    assert Reply(s).status == 200
    return s


@pytest.fixture(scope="module")
def of_nobody(lab):
    """What reloads alone cost: a policy's bytes, and what is left of them."""
    small, first, last = memory_after_reloads(lab, free_port(), None)
    return {"policy": first - small, "growth": last - first}


@pytest.mark.skipif(sanitized, reason="AddressSanitizer keeps freed memory on purpose")
@pytest.mark.parametrize("way", ["http", "sni"])
def test_connections_without_a_decision_keep_no_old_list(lab, of_nobody, way, measured):
    sni = free_port()
    _, first, last = memory_after_reloads(lab, sni, idle_http if way == "http" else lambda exeat: exeat.connect(port=sni))
    policies = (last - first - of_nobody["growth"]) / of_nobody["policy"]
    measured(f"{RELOADS} idle {way} connections hold {policies:.1f} lists of {NAMES} names")
    assert of_nobody["policy"] > MEBIBYTE
    assert last - first <= max(of_nobody["growth"], 0) + 2.5 * of_nobody["policy"]


def test_no_list_is_held_once_it_was_replaced_also_not_that_of_the_start(lab):
    with lab.exeat(ALLOWLIST) as exeat, open_tunnel(exeat, "bulk.room.test:7"):
        for n in range(3):
            exeat.reload(ALLOWLIST + f"# {n}\n")
        wait_until(lambda: exeat.metric("policy_former_lists") == 0, what="whoever held them has let go")
