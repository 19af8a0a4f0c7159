"""One of three replicas dies under load: what clients see, what is each replica's own, and what their sum still says. With -s the figures are printed."""
import signal
import socket

import pytest
from harness.client import Reply, http_request
from harness.http_origin import reply
from harness.origin import echo
from harness.wait import wait_until
from replicas import Load, Replicas, dial

HELD, DIALLING, SHORT = 30, 6, 300


@pytest.fixture(scope="module", autouse=True)
def origins(gateway):
    gateway.open_fence()
    host, _ = gateway.lab.place("echo.test", *[f"n{i}.w.test" for i in range(12)], v6=False)
    gateway.lab.http_origin(host, routes={"*": reply(b"hello\n")})
    return gateway.lab.origin(host, 7, echo)


@pytest.fixture
def replicas(gateway):
    with Replicas(gateway) as running:
        yield running


def uploaded(metrics):
    return metrics.of("exeat_bytes_total", direction="upload", entry="echo")


def killed_under_load(replicas, pod, origin):
    """Kills the second replica amidst the load, and takes it from the balancer a while later. Returns the load, and what each scrape last said."""
    replicas.balance("each connection", replicas.all)
    load = Load(pod, HELD, DIALLING)
    load.wait_for("all up", SHORT)
    victim = replicas.all[1]
    held_by = {r.n: r.metric("tunnels_active") for r in replicas.all}
    last = {victim.n: victim.metrics()}  # its last scrape: what came later dies with it
    load.phase = "dying"
    victim.kill()
    load.wait_for("one dead, still balanced to", SHORT)
    load.phase = "being taken out"
    replicas.balance("each connection", [r for r in replicas.all if r is not victim])
    load.wait_for("taken out", SHORT)
    load.end()
    for each in (r for r in replicas.all if r is not victim):
        wait_until(lambda r=each: r.metric("tunnels_active") == 0)
        last[each.n] = each.metrics()
    wait_until(origin.at_rest, what="the origin's connections have ended")
    return load, last, held_by


def test_a_replica_that_dies_takes_its_own_tunnels_and_no_others(gateway, replicas, origins):
    load, last, held_by = killed_under_load(replicas, gateway.redirect.pod, origins)
    share = lambda phase: load.short[phase, "failed"] / (load.short[phase, "well"] + load.short[phase, "failed"])
    print(f"\nheld tunnels: {HELD}, on each replica {held_by}, cut: {len(load.cut)}"
          + "".join(f"\n{phase}: {load.short[phase, 'well']} well, {load.short[phase, 'failed']} failed ({share(phase):.0%})" for phase in ("all up", "one dead, still balanced to", "taken out"))
          + f"\nwhat the failed ones saw: {dict(load.errors)}")
    assert len(load.cut) == HELD / 3 and not {phase for phase, _ in load.cut} & {"all up", "taken out"}
    assert load.short["all up", "failed"] == 0
    assert 0.2 < share("one dead, still balanced to") < 0.5, "a third of new connections is refused until it is taken out"
    assert load.short["taken out", "failed"] == 0
    assert {how for _, _, how in load.errors} == {"at once"}, "nobody hangs"
    counted, arrived = sum(uploaded(m) for m in last.values()), origins.received_bytes
    print(f"uploaded: {arrived} bytes at the origin, {counted:.0f} in the sum of the last scrapes ({arrived - counted:.0f} lost with the dead replica's)")
    assert counted <= arrived, "a sum over replicas never says more than left"
    alive = [r for r in replicas.all if r.process.poll() is None]
    for each in alive:
        each.settled()
    logged = sum(line["source.bytes"] for r in alive for line in r.audit(event__action="close"))
    assert logged == sum(uploaded(last[r.n]) for r in alive), "of those that live, the audit log and the counters say the same"


def test_a_rollout_refuses_nobody(gateway, replicas):
    """As preStop has it: out of the Service first, then SIGTERM. New connections all do well; tunnels have drain_timeout to end."""
    replicas.balance("each connection", replicas.all)
    load = Load(gateway.redirect.pod, HELD, DIALLING)
    load.wait_for("all up", SHORT)
    replicas.balance("each connection", replicas.all[1:])
    load.wait_for("taken out", SHORT)  # preStop's pause: whoever was on the way to it has arrived
    replicas.all[0].signal(signal.SIGTERM)
    replicas.all[0].wait()
    load.wait_for("gone", SHORT)
    load.end()
    print(f"\na rollout: {sum(load.short.values())} new connections, {sum(load.errors.values())} failed; {len(load.cut)} of {HELD} held tunnels were cut when the drain was over")
    assert not load.errors and len(load.cut) == HELD / 3


def names_that_pass(pod, sources=(None,)):
    """How many of twelve names under a wildcard of which three are left one client gets, over fresh connections."""
    passed = set()
    for source in sources:
        for i in range(12):
            with dial(pod, source) as s:
                s.sendall(http_request("GET", f"http://n{i}.w.test/", ["Connection: close"]))
                if Reply(s).status == 200:
                    passed.add((source, i))
    return len(passed)


def test_a_budget_per_client_is_per_replica_unless_a_client_stays_on_one(gateway, replicas):
    """Why the Service has sessionAffinity: ClientIP."""
    pod = gateway.redirect.pod
    replicas.balance("each client", replicas.all)
    assert names_that_pass(pod) == 3
    # spread, each of the other two has its own three for this client still
    replicas.balance("each connection", replicas.all)
    spent = names_that_pass(pod)
    print(f"\na client with a budget of 3 names had {spent} when its connections were spread over three replicas")
    assert 3 < spent <= 9


def test_clients_that_stay_are_spread_all_the_same(gateway, replicas):
    pod = gateway.redirect.pod
    sources = [f"10.42.0.{n}" for n in range(20, 50)]
    for each in sources:
        pod.ip(f"addr add {each}/32 dev eth0")
    replicas.balance("each client", replicas.all)
    for each in sources:
        with dial(pod, each) as s:
            s.shutdown(socket.SHUT_WR)
            s.recv(1)
    served = [r.metric("connections_total") for r in replicas.all]
    assert sum(served) == len(sources) and min(served) > 0
