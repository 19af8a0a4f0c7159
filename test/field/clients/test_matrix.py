"""Each client by each of its ways: an allowed host answers, a refused one does not, and the client says what it can of why."""
import re

import pytest
from table import CLIENTS, SHOWS

CELLS = [pytest.param(client, way, id=f"{client.slug}-{way}") for client in CLIENTS for way in client.ways]


def ask(place, client, host, scheme):
    """What came of it, and the number of the first request line that is its own on the wire."""
    place.need(*client.needs)
    seen = len(place.wire.lines)
    outcome = place.run(*client.argv(place, f"{scheme}://{host}/"), environment=dict(client.environment))
    return outcome, seen


@pytest.mark.parametrize("client, way", CELLS)
def test_an_allowed_host_answers(place, exeat, client, way):
    host = place.host(client.slug, way, True)
    outcome, first = ask(place, client, host, way)
    assert outcome.code == 0 and client.page.format(host) in outcome.out, outcome.out
    assert place.wire.sent(client.first_line(way, host), first)
    assert place.logged(exeat, host, "open")
    assert not exeat.audit(destination__domain=host, event__action="deny")


@pytest.mark.parametrize("client, way", CELLS)
def test_a_refused_host_stays_out_of_reach(lab, place, exeat, client, way):
    host = place.host(client.slug, way, False)
    outcome, first = ask(place, client, host, way)
    assert outcome.code != 0, outcome.out
    assert place.wire.sent(client.first_line(way, host), first)
    assert {line["event.reason"] for line in place.logged(exeat, host, "deny")} == {"not_allowed"}
    assert re.search(SHOWS[getattr(client, way)], outcome.out), outcome.out
    assert not lab.dns.asked(host) and place.untouched()
