"""Headless Chromium: it says GREASE where Encrypted Client Hello would stand, and opens connections that it may not use."""
import concurrent.futures

import fakes
import pytest
from harness.exeat import free_port
from harness.wait import wait_until
from place import GATEWAY

# Nothing that it would fetch for itself; no loopback name is exempt from the proxy.
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions", "--proxy-bypass-list=<-loopback>", "--dump-dom")


class Browser:
    def __init__(self, place, port):
        place.need("chromium", "certutil")
        self.place, self.port, self.home = place, port, place.fresh("chromium")
        store = self.home / ".pki/nssdb"
        store.mkdir(parents=True)
        for argv in (["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "tests", "-i", place.authority]):
            done = place.run("certutil", "-d", f"sql:{store}", *argv)
            assert done.code == 0, done.out

    def open(self, url):
        """What the page became, an error page too."""
        proxy = f"http://{GATEWAY}:{self.port}"
        return self.place.run("chromium", *ARGUMENTS, f"--user-data-dir={self.home}/data", f"--proxy-server={proxy}", url, environment={"HOME": str(self.home)}, within=120).out


@pytest.fixture(scope="module")
def hosts(place):
    return {way: [place.host("chromium", way, True), place.host("preconnected", way, True)] for way in ("https", "http")}


def serve(place, hosts, port, **options):
    return place.serve(hosts["https"], hosts["http"], port=port, **options)


def test_plain_http(lab, place, hosts):
    port, refused = free_port(), place.host("chromium", "http", False)
    with serve(place, hosts, port) as exeat:
        browser = Browser(place, port)
        assert f"this is {hosts['http'][0]}" in browser.open(f"http://{hosts['http'][0]}/")
        assert place.logged(exeat, hosts["http"][0], "open")
        assert "not_allowed" in browser.open(f"http://{refused}/")
        assert place.logged(exeat, refused, "deny") and not lab.dns.asked(refused) and place.untouched()


def test_https_with_the_entry_that_lets_grease_pass(lab, place, hosts):
    port, refused = free_port(), place.host("chromium", "https", False)
    with serve(place, hosts, port, entry={"ech": "grease"}) as exeat:
        browser = Browser(place, port)
        assert f"this is {hosts['https'][0]}" in browser.open(f"https://{hosts['https'][0]}/")
        assert place.logged(exeat, hosts["https"][0], "open")
        assert not exeat.audit(destination__domain=hosts["https"][0], event__action="deny")
        assert "ERR_TUNNEL_CONNECTION_FAILED" in browser.open(f"https://{refused}/")
        assert place.logged(exeat, refused, "deny") and not lab.dns.asked(refused) and place.untouched()


def test_https_without_it_is_refused_as_ech(place, hosts):
    port = free_port()
    with serve(place, hosts, port) as exeat:
        assert "this is" not in Browser(place, port).open(f"https://{hosts['https'][0]}/")
        wait_until(lambda: exeat.audit(destination__domain=hosts["https"][0], event__reason="ech"), 15, "the refusal is logged")


def test_a_silent_preconnect_is_no_refusal(place, hosts):
    """exeat ends what says nothing after head_timeout; the page is still on its way then."""
    port = free_port()
    fakes.RELEASED.clear()
    with serve(place, hosts, port, limits={"head_timeout": "1s"}) as exeat, concurrent.futures.ThreadPoolExecutor(1) as beside:
        page = beside.submit(Browser(place, port).open, f"http://{hosts['http'][0]}/preconnects")
        try:
            wait_until(lambda: page.done() or exeat.metric("silent_connections_total") > 0, 60, "a preconnect has been ended")
        finally:
            fakes.RELEASED.set()
        assert f"this is {hosts['http'][0]}" in page.result()
        assert exeat.metric("silent_connections_total") > 0
        assert {line["event.reason"] for line in exeat.audit(event__action="deny")} <= {"not_allowed"}, "beside what it asks of its makers' hosts"
