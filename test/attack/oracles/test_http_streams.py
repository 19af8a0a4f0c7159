"""Oracle 2: what each server was sent, as parsers that are not ours read it. On every upstream connection h11 and Node's parser find exactly the requests that
the audit log has an exchange for, each with the Host that was judged. EXEAT_ORACLE_SECONDS (12) and EXEAT_ORACLE_SEED change how long and what."""
import collections
import json
import os
import random
import shutil
import subprocess
import threading
import time

import pytest
import servers_behind
from conversations import Conversation
from harness.client import Reply, http_request
from harness.exeat import CROWD
from harness.wait import seconds, wait_until
from recording_relay import RecordingRelay

h11 = pytest.importorskip("h11")

HOSTS = {"scripted.test": lambda lab, at: servers_behind.scripted(lab), "nginx.test": servers_behind.nginx, "haproxy.test": servers_behind.haproxy}
ALLOWLIST = f"""
serial = 7
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "streams"
hosts = {json.dumps(list(HOSTS))}
ports = [80]
protocol = "http"
upload = "64 GiB/1h"
"""
CLIENTS = 8
DURATION = float(os.environ.get("EXEAT_ORACLE_SECONDS", 12))
SEED = int(os.environ.get("EXEAT_ORACLE_SEED", random.SystemRandom().randrange(1 << 32)))


def requests_by_h11(stream):
    """(method, target, Host) of each request whose head is whole. Anything malformed fails."""
    found, rest = [], bytes(stream)
    while rest:
        parser = h11.Connection(h11.SERVER)
        parser.receive_data(rest)
        while (event := parser.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
            if isinstance(event, h11.Request):
                hosts = [value.decode() for name, value in event.headers if name == b"host"]
                found.append([event.method.decode(), event.target.decode(), *hosts])
        rest = parser.trailing_data[0] if event is h11.PAUSED or parser.their_state is h11.DONE else b""
    return found


def requests_by_node(streams, directory):
    directory.mkdir()
    files = []
    for i, stream in enumerate(streams):
        files.append(directory / str(i))
        files[-1].write_bytes(stream)
    script = os.path.join(os.path.dirname(__file__), "read_requests.js")
    found = []
    for at in range(0, len(files), 200):
        done = subprocess.run(["node", script, *files[at:at + 200]], capture_output=True, check=False, timeout=seconds(120))
        assert done.returncode == 0, done.stderr.decode()
        found += json.loads(done.stdout)
    return found


def path_holds(exeat, relay):
    """Octets of a body that leave exeat while the relay waits for an answer that does not come."""
    uploaded = lambda: exeat.metric("bytes_total", entry="streams", direction="upload")
    size, seen = 16 << 20, []
    with exeat.connect() as s:
        s.settimeout(seconds(20))
        sender = threading.Thread(target=send_quietly, args=(s, http_request("POST", f"http://{relay.name}/silent/0-0", [f"Content-Length: {size}"], b"x" * size)))
        sender.start()
        wait_until(lambda: uploaded() > 0, what="the body begins to leave")

        def still():
            seen.append(uploaded())
            return len(seen) > 20 and len(set(seen[-20:])) == 1

        wait_until(still, 30, "the path is full")
        relay.patient.set()
        Reply(s)
        s.close()
        sender.join()
    return int(seen[-1])


def send_quietly(s, data):
    try:
        s.sendall(data)
    except OSError:
        pass


@pytest.fixture(scope="module")
def relays(lab, tmp_path_factory):
    servers = {name: make(lab, tmp_path_factory.mktemp("servers")) for name, make in HOSTS.items()}
    made = [RecordingRelay(lab, name, servers[name].address, SEED) for name in HOSTS]
    yield made
    for each in [*made, *servers.values()]:
        each.close()


def converse(exeat, holds, end):
    def client(n):
        drawn, count = random.Random(f"{SEED}/{n}"), 0
        while time.monotonic() < end:
            count += 1
            Conversation(drawn, list(HOSTS), holds, f"{n}-{count}").hold(exeat)
        counts[n] = count

    counts = [0] * CLIENTS
    threads = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return sum(counts)


def audited(exeat, since):
    """Host → exchanges of which something was sent."""
    closes = exeat.audit(since, event__action="close")
    return collections.Counter(line["destination.domain"] for line in closes if line["source.bytes"] > 0)


def test_every_request_that_a_server_saw_is_one_audited_exchange_with_its_host(lab, relays, measured, tmp_path):
    print(f"seed: EXEAT_ORACLE_SEED={SEED}")
    with lab.exeat(ALLOWLIST, limits=CROWD) as exeat:
        holds = path_holds(exeat, relays[0])
        exeat.settled()
        wait_until(lambda: all(c.over for r in relays for c in r.connections), 30, "the relays are at rest")
        for relay in relays:
            relay.connections.clear()
        since = exeat.settled()
        conversations = converse(exeat, holds, time.monotonic() + DURATION)
        wait_until(lambda: exeat.metric("connections_active") == 0, 60, "no connection is open")
        exeat.settled()
        wait_until(lambda: all(c.over for r in relays for c in r.connections), 60, "the relays are at rest")
        expected = audited(exeat, since)
        log = exeat.log()
    seen, streams, names = collections.Counter(), [], []
    for relay in relays:
        for connection in relay.connections:
            found = requests_by_h11(connection.sent)
            assert all(request[2:] == [relay.name] for request in found), (SEED, found)
            assert not [request for request in found if "smuggled" in request[1]], (SEED, found)
            seen[relay.name] += len(found)
            streams.append(bytes(connection.sent))
            names.append((relay.name, found))
    assert seen == expected, (SEED, seen, expected, log)
    if shutil.which("node"):
        for (name, by_h11), by_node in zip(names, requests_by_node(streams, tmp_path / "streams")):
            assert by_node["requests"] == by_h11, (SEED, name, by_node)
    else:
        print("skipped: Node's parser; there is no node here")
    measured(f"oracle of HTTP streams: {conversations} conversations, {sum(seen.values())} requests on {len(streams)} upstream connections, seed {SEED}")
