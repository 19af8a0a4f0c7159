"""Oracle 5: every look-up, connect and byte that the test DNS server, the capture and the origins saw maps to an audit line of the client that caused it,
counters included, and no finding and no cut names a client for another's traffic. EXEAT_ORACLE_SECONDS (20) and EXEAT_ORACLE_SEED change how long and what."""
import collections
import os
import random
import time

import pytest
from attributed_clients import NOISY, QUIET, Client
from attributed_world import DOMAIN, PLAIN, Connects, World
from attribution_books import Books
from harness.exeat import CROWD, free_port
from harness.wait import wait_until

CLIENTS, QUIET_ONES = 5, 2
DURATION = float(os.environ.get("EXEAT_ORACLE_SECONDS", 20))
SEED = int(os.environ.get("EXEAT_ORACLE_SEED", random.SystemRandom().randrange(1 << 32)))
LEAST = 150  # operations of each client, so that each kind is there on a loaded machine as well
BUDGET = 300 << 10  # of each client; without a state directory a start counts half of it as spent


def entry(name, hosts, ports, protocol, more='upload = "64 GiB/1h"'):
    return f'[[allow]]\nname = "{name}"\nhosts = {hosts}\nports = {ports}\nprotocol = "{protocol}"\n{more}\n'


def named(*kinds):
    return "[" + ", ".join(f'"{k}.{DOMAIN}"' for k in kinds) + "]"


def allowlist(serial, flips=True):
    wild = named(*(f"*.c{n}.wild" for n in range(CLIENTS)))
    entries = [entry("tls", named("tls", "retry", "gone", "inward", "mute", "refuse", "hole"), [443], "tls"),
               entry("wild", wild, [443], "tls", 'upload = "64 GiB/1h"\nnames = 10000'),
               entry("raw", named("raw"), [7], "tcp"), entry("spent", named("spent"), [9], "tcp", f'upload = "{BUDGET >> 10} KiB/1h"'),
               entry("plain", named(*PLAIN, "gone", "refuse"), [80], "http")]
    if flips:
        entries.append(entry("flips", named("flips"), [13], "tcp"))
    return f'serial = {serial}\n[groups.lab]\nsources = ["127.0.0.0/8"]\n' + "\n".join(entries)


def reload_until(exeat, over):
    """Lists of equal effect, and lists with an entry less or more. No scrape meanwhile: a client's series is whole that way."""
    serial = 1
    while not over():
        serial += 1
        exeat.write_allowlist(allowlist(serial, flips=serial % 4 < 2))
        time.sleep(0.4)


def run_clients(clients, exeat, end):
    threads = [t for c in clients for t in c.threads]
    for client in clients:
        client.until = lambda c=client: time.monotonic() < end or len(c.operations) < LEAST
    for t in threads:
        t.start()
    reload_until(exeat, lambda: not any(t.is_alive() for t in threads))


@pytest.fixture
def world(lab):
    made = World(lab, CLIENTS)
    yield made
    made.close()


def test_every_look_up_connect_and_byte_has_its_line(lab, world, measured, tmp_path):
    print(f"seed: EXEAT_ORACLE_SEED={SEED}")
    port = free_port()
    listen = [{"mode": "sni", "address": f"127.0.0.1:{port}", "port": 443}]
    with lab.exeat(allowlist(1), listen=listen, limits={"connect_timeout": "2s", **CROWD}, dns={"timeout": "1s"}) as exeat:
        clients = [Client(exeat, world, n, SEED, QUIET if n < QUIET_ONES else NOISY, port) for n in range(CLIENTS)]
        with Connects(tmp_path / "pcap") as seen:
            run_clients(clients, exeat, time.monotonic() + DURATION)
            exeat.settled()
            wait_until(world.at_rest, 60, "the origins' connections have ended")
            seen.stop()
        books = Books(world, clients, exeat.audit(), seen.count(), exeat.metrics(), BUDGET // 2)
    assert not [b for c in clients for b in c.broken], SEED
    wrong = books.wrong()
    counts = {check: len(found) for check, found in wrong.items()}
    assert not wrong, f"EXEAT_ORACLE_SEED={SEED}, wrong: {counts}\n" + "\n".join(f"{check}: {what}" for check, found in wrong.items() for what in found[:8])
    for check, spoiled in spoil(books):
        assert any(getattr(spoiled, check)()), f"EXEAT_ORACLE_SEED={SEED}: {check} would not notice"
    measured(f"oracle of attribution: {len(books.operations)} client connections, {len(books.requests)} requests, {sum(books.connects.values())} connects, "
             f"{len(world.questions())} questions, seed {SEED}")


def spoil(books):
    """(check, the same books with one thing in them that it must notice)"""
    def changed(which, **fields):
        fields = {k.replace("__", "."): v for k, v in fields.items()}
        at = next(i for i, line in enumerate(books.lines) if which(line))
        return books.of(lines=[*books.lines[:at], *([books.lines[at] | fields] if fields else []), *books.lines[at + 1:]])

    alone = lambda line: len(books.by_key[line["source.ip"], line["source.port"]]) == 1
    operation = lambda line: books.by_key[line["source.ip"], line["source.port"]][0]
    inside = lambda line: line.get("exeat.mode") == "connect" and alone(line) and line["destination.domain"] == f"tls.{DOMAIN}"
    opened = lambda line: line["event.action"] == "open" and inside(line)
    closed = lambda line: line["event.action"] == "close" and inside(line) and operation(line).exact
    denied = lambda line: line["event.action"] == "deny" and alone(line) and (line.get("destination.domain"), "not_allowed") in operation(line).answers
    up, down = (next(line[f"{side}.bytes"] for line in books.lines if closed(line)) for side in ("source", "destination"))
    name = next(line["destination.domain"] for line in books.lines if line["event.action"] == "open" and line["destination.domain"].endswith(f".wild.{DOMAIN}"))
    yield "lines_have_clients", changed(opened, source__port=1)
    yield "lines_have_clients", changed(closed, event__id="0")
    yield "answers_have_lines", changed(denied)
    yield "answers_have_lines", changed(denied, event__reason="chunk")
    yield "questions_have_lines", books.of(lines=[line for line in books.lines if line.get("destination.domain") != name])
    yield "connects_have_lines", books.of(lines=[line for line in books.lines if line.get("destination.domain") != name])
    yield "connects_have_lines", books.of(connects=books.connects + collections.Counter({("93.184.216.254", 443): 1}))
    yield "peers_have_clients", books.of(clients=books.clients[1:])
    yield "bytes_agree", changed(closed, source__bytes=up + 1)
    yield "bytes_agree", changed(closed, destination__bytes=down - 1)
    yield "counters_agree", changed(denied)
    yield "counters_agree", changed(denied, exeat__audit__stands_for=2)
    yield "clients_counters_agree", changed(lambda line: denied(line) and line["source.ip"] == books.clients[-1].source, source__ip="127.0.1.99")
    yield "budgets_are_their_clients", changed(closed, event__reason="budget")
    yield "findings_are_their_clients", books.of(lines=[*books.lines, {
        "event.action": "anomaly", "source.ip": books.clients[0].source, "exeat.detector.name": "name_mismatch", "exeat.detector.value": 1}])
