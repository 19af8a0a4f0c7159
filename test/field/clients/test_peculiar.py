"""What some clients do beside asking for a page: they ignore the proxy, open WebSockets, or ask again on a connection that has just ended."""
import re

import pytest
from harness.wait import wait_until
from table import ENV_PROXY, SHOWS, SOCKETS, node, python
from test_matrix import ask

# Node's own clients where it does not read the proxy variables.
ROUND = [node(f"Node {version} {how}{' without NODE_USE_ENV_PROXY' if not settings else ''}", version, how, environment=settings)
         for version, settings in ((20, ()), (20, ENV_PROXY), (22, ()), (24, ())) for how in ("fetch", "http")]


@pytest.mark.parametrize("client", ROUND, ids=lambda c: c.slug)
def test_node_passes_the_proxy_by_unless_it_is_told(place, exeat, client):
    host = place.host("goes-round", "http", True)
    outcome, first = ask(place, client, host, "http")
    assert outcome.code != 0 and place.wire.lines[first:] == []
    assert not exeat.audit(destination__domain=host) and not place.requests_of(host)


@pytest.mark.parametrize("client", SOCKETS, ids=lambda c: c.slug)
def test_a_websocket_over_tls(place, exeat, client):
    host = place.host("sockets", "https", True)
    outcome, first = ask(place, client, host, "wss")
    assert outcome.code == 0 and f"this is {host}" in outcome.out, outcome.out
    assert place.wire.sent(f"CONNECT {host}:443", first)
    assert place.logged(exeat, host, "open")


@pytest.mark.parametrize("client", SOCKETS, ids=lambda c: c.slug)
def test_a_websocket_over_tls_to_a_refused_host(lab, place, exeat, client):
    host = place.host(client.slug, "https", False)
    outcome, _ = ask(place, client, host, "wss")
    assert outcome.code != 0 and re.search(SHOWS[client.https], outcome.out), outcome.out
    assert place.logged(exeat, host, "deny") and not lab.dns.asked(host) and place.untouched()


@pytest.mark.parametrize("client", SOCKETS, ids=lambda c: c.slug)
def test_a_websocket_without_tls_is_refused_as_an_upgrade(place, exeat, client):
    """Though the host is allowed over plain HTTP. The client asks inside CONNECT :80, so the refusal is the answer to its handshake."""
    host = place.host("sockets", "http", True)
    denied = len(exeat.audit(destination__domain=host, event__reason="upgrade"))
    outcome, first = ask(place, client, host, "ws")
    assert outcome.code != 0 and re.search("upgrade" if client.http == "the reason" else SHOWS[client.http], outcome.out), outcome.out
    assert place.wire.sent(f"CONNECT {host}:80", first)
    wait_until(lambda: len(exeat.audit(destination__domain=host, event__reason="upgrade")) == denied + 1, 15, "the refusal is logged")
    assert not place.requests_of(host)


@pytest.mark.parametrize("client", [python("requests", "requests_again"), node("undici 7", 22, "undici7-again")], ids=lambda c: c.slug)
def test_a_kept_connection_that_ends_as_it_is_used_again(place, exeat, client):
    """The origin ends it on the second request; exeat asks once more on a new one, and the client does not notice."""
    host = place.host(f"kept-{client.slug}", "http", True)
    outcome, _ = ask(place, client, host, "http")
    assert outcome.code == 0 and f"this is {host}" in outcome.out, outcome.out
    assert [r.path for r in place.requests_of(host)] == ["/", "/once-only", "/once-only"]


def test_what_is_not_idempotent_is_sent_once(place, exeat):
    host = place.host("kept-post", "http", True)
    outcome, _ = ask(place, python("requests", "requests_post_again"), host, "http")
    assert outcome.code != 0
    assert [(r.method, r.path) for r in place.requests_of(host)] == [("GET", "/"), ("POST", "/once-only")]
