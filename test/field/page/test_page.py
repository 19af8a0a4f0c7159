"""The status page: what happens is on it, nothing comes from outside, nothing becomes markup, and it serves eyes, keys and phones."""
import pytest
from browser import Browser
from harness.client import connect_reply, open_tunnel, read_exactly
from harness.wait import wait_until
from selenium.webdriver.common.keys import Keys

MIB = 1 << 20
ALLOWLIST = """
serial = 41
expires = 2099-01-01T00:00:00Z
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "judge-models"
hosts = ["api.page.test"]
ports = [7]
protocol = "tcp"
purpose = "api"
[[allow]]
name = "experiment-tracking"
hosts = ["track.page.test"]
ports = [7]
protocol = "tcp"
purpose = "telemetry"
upload = "10 MiB/1h"
on_budget = "alert"
"""


@pytest.fixture(scope="module", autouse=True)
def origin(lab):
    host, _ = lab.place("api.page.test", "track.page.test", v6=False)
    return lab.origin(host, 7)


@pytest.fixture(scope="module")
def exeat(lab):
    with lab.exeat(ALLOWLIST) as running:
        yield running


@pytest.fixture(scope="module")
def browser(exeat, tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("browser") / "driver.log") as b:
        b.look_like(1600, 1400)
        open_page(b, exeat)
        yield b


def open_page(b, exeat):
    b.driver.get(f"http://127.0.0.1:{exeat.admin_port}/")
    b.shows("#state", "serving")


def echo(s, size):
    for _ in range(size // 65536):
        s.sendall(b"x" * 65536)
        read_exactly(s, 65536)


def upload(exeat, host, size, source):
    with open_tunnel(exeat, f"{host}:7", source=source) as s:
        echo(s, size)


@pytest.fixture(scope="module")
def traffic(exeat):
    """Some of everything, and two tunnels that stay open."""
    with open_tunnel(exeat, "api.page.test:7", source="127.0.0.5") as one, open_tunnel(exeat, "track.page.test:7", source="127.0.0.6") as two:
        echo(one, 6 * MIB)
        echo(two, 12 * MIB)
        upload(exeat, "api.page.test", 3 * MIB, "127.0.0.7")
        for n in range(8):
            connect_reply(exeat, f"door{n}.page.test:443", source="127.0.0.8")
        for n in range(60):
            connect_reply(exeat, "<img src=x onerror=alert(1)>:443", source="127.0.0.9")
        yield


def test_what_happens_is_on_the_page(exeat, browser, traffic):
    b = browser
    b.shows("#policy", "serial 41", next(iter(exeat.metrics().label_values("exeat_policy_info", "sha256"))), "enforced", "nobody", "2099-01-01", "2 entries")
    b.shows("#clients", "lab/127.0.0.5", "lab/127.0.0.6", "lab/127.0.0.7", "12.0 MiB")
    b.shows("#entries", "judge-models", "experiment-tracking", "telemetry")
    b.shows("#budgets", "127.0.0.6", "experiment-tracking", "12.0 MiB + 5.0 MiB assumed / 10.0 MiB", "170 %", "lab/127.0.0.5", "59 %")
    b.shows("#policy", "Half of each budget counts as spent", "without 'state' nothing is known")
    b.shows("#findings", "denied_burst", "lab/127.0.0.8", "warning", "T1046", "4 different refused hosts in a row", "To do: look at the refused hosts")
    b.shows("#tunnels", "lab/127.0.0.5", "api.page.test:7", "127.0.0.6", "track.page.test:7", "2 of 2")
    b.shows("#tiles", "Live tunnels\n2", "Fullest budget\n170 %", "21.0 MiB since the start")
    b.shows("#by-client .legend", "lab/127.0.0.6 · 12.0 MiB", "lab/127.0.0.5 · 6.0 MiB")
    b.shows("#by-entry .legend", "experiment-tracking · 12.0 MiB", "judge-models · 9.0 MiB")
    b.shows("#by-reason .legend", "not_allowed · 8", "request_line · 60")
    b.becomes("const c = document.querySelector('#by-client canvas'); return (c.ariaLabel ?? c.getAttribute('aria-label')).includes('lab/127.0.0.6: 12.0 MiB in the last hour')")
    b.becomes("return plots.every(p => p.chart.data.datasets.length)")
    highest = "Math.max(...p.chart.data.datasets[0].data.map((_, i) => p.chart.data.datasets.reduce((n, d) => n + d.data[i].y, 0)))"
    b.becomes(f"return plots.every(p => {highest} <= p.chart.scales.y.max)")  # nothing is cut off at the top


def test_a_finding_leads_to_its_tunnels_its_entry_and_its_lines(exeat, browser, traffic):
    b = browser
    open_page(b, exeat)
    with open_tunnel(exeat, "track.page.test:7", source="127.0.0.11") as one, open_tunnel(exeat, "api.page.test:7", source="127.0.0.11"):
        echo(one, 6 * MIB)
        b.becomes("const s = memory.status; return s && s.anomalies.recent.length")
        b.run("""show_findings({ anomalies: { recent: [{ ...memory.status.anomalies.recent[0], client: "127.0.0.11", client_name: "lab/127.0.0.11", entry: "experiment-tracking",
            rule: { file: "/etc/list.toml", line: 12, owner: "evaluation", ticket: "NET-41" } }] } }, only_client); memory.paused = true;""")
        b.run("document.querySelector('#findings summary').click()")
        b.shows("#findings", "/etc/list.toml:12, owner evaluation, ticket NET-41", "jq -c 'select(", str(exeat.audit_path))
        b.run("[...document.querySelectorAll('#findings li > p button')][0].click()")
        b.shows("#counted", "1 of 4")
        assert b.run("return [byId('client').value, byId('entry').value]") == ["lab/127.0.0.11", "experiment-tracking"]
        b.run("byId('client').value = byId('entry').value = ''; memory.paused = false; narrow()")
        b.shows("#counted", "4 of 4")


FIT = """
    const cut = [];
    for (const e of document.querySelectorAll(".pairs .rows, #tunnels .rows")) if (e.scrollWidth > e.clientWidth) cut.push([e.closest("section").id, e.scrollWidth, e.clientWidth]);
    for (const e of document.querySelectorAll(".rows td button, .rows li button")) if (e.checkVisibility() && (e.scrollWidth > e.clientWidth + 1 || e.getBoundingClientRect().right > innerWidth)) cut.push(e.textContent);
    return cut;
"""


@pytest.mark.parametrize("name, width", [("laptop", 1400), ("small", 400)])
def test_no_table_is_cut_and_no_address(exeat, browser, traffic, name, width):
    b = browser
    b.look_like(width, 2600)
    open_page(b, exeat)
    b.shows("#tunnels", "lab/127.0.0.6")
    b.shows("#clients", "lab/127.0.0.9")
    b.shows("#findings", "denied_burst")
    b.shows("#by-client .legend", "lab/127.0.0.6")
    b.picture(name)
    assert b.run(FIT) == []
    b.look_like(1600, 1400)


def test_a_new_tunnel_and_its_end_are_seen_while_they_happen(exeat, browser, traffic):
    with open_tunnel(exeat, "api.page.test:7", source="127.0.0.10") as s:
        echo(s, 2 * MIB)
        browser.shows("#tunnels", "127.0.0.10", "3 of 3")
    wait_until(lambda: "127.0.0.10" not in browser.text("#tunnels"), what="the tunnel is gone")
    browser.shows("#clients", "lab/127.0.0.10")


def test_nothing_is_fetched_from_elsewhere_and_the_browser_objects_to_nothing(exeat, browser, traffic):
    browser.asked_for()
    open_page(browser, exeat)
    browser.shows("#by-client .legend", "lab/127.0.0.6")
    asked, wanted = [], {f"http://127.0.0.1:{exeat.admin_port}{p}" for p in ("/", "/api/status", "/api/tunnels", "/api/history")}

    def all_asked():
        asked.extend(browser.asked_for())
        return {url.partition("?")[0] for url in asked} >= wanted

    wait_until(all_asked)
    assert all(url.startswith(f"http://127.0.0.1:{exeat.admin_port}/") for url in asked), asked
    assert browser.complaints() == []


def test_the_policy_of_the_page_lets_no_markup_script_style_or_picture_in(browser):
    refused = browser.run("""
        const tried = {};
        try { document.body.innerHTML = "<b>x</b>"; tried.markup = "made"; } catch (e) { tried.markup = e.name; }
        try { setTimeout("window.hit = 2"); tried.timer = "set"; } catch (e) { tried.timer = e.name; }
        const s = document.createElement("script"); try { s.text = "window.hit = 1"; document.body.append(s); } catch (e) { }
        const p = document.createElement("style"); p.textContent = "body { display: none }"; document.body.append(p);
        const a = document.createElement("a"); a.setAttribute("style", "position: fixed"); document.body.append(a);
        tried.script = window.hit ?? "none"; tried.style = getComputedStyle(document.body).display; tried.attribute = getComputedStyle(a).position;
        s.remove(); p.remove(); a.remove();
        return tried;""")
    assert refused == {"markup": "TypeError", "timer": "TypeError", "script": "none", "style": "block", "attribute": "static"}
    assert "require-trusted-types-for" in browser.run("return fetch('/').then(r => r.headers.get('content-security-policy'))")
    browser.complaints()


HOSTILE = """
    const evil = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>\\u202e\\u001b[31m' + "x".repeat(3000);
    const spoil = v => typeof v === "string" && !/^\\d{4}-|^enforce$|^1h$|^24h$|^7d$/.test(v) ? evil : Array.isArray(v) ? v.map(spoil) : v && typeof v === "object" ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, spoil(x)])) : v;
    const honest = window.fetch;
    window.fetch = async (...a) => { const r = await honest(...a); const said = spoil(await r.json()); return { ok: true, json: async () => said, text: async () => evil }; };
"""


def test_not_even_a_lying_exeat_makes_markup(exeat, browser, traffic):
    made = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": HOSTILE})
    try:
        browser.driver.get(f"http://127.0.0.1:{exeat.admin_port}/")
        for table in ("#clients", "#entries", "#budgets", "#findings", "#tunnels", "#by-client .legend"):
            browser.shows(table, "<img src=x")
        assert browser.run("return [window.hit ?? 0, document.images.length, document.scripts.length]") == [0, 0, 2]
        browser.picture("hostile")
        wide = "return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.rows, canvas, .skip')).map(e => e.tagName + e.id + e.className)"
        assert browser.run(wide) == [], "long names stay in their boxes"
    finally:
        browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", made)
    open_page(browser, exeat)


def test_keys_do_what_the_help_says(exeat, browser, traffic):
    b = browser
    open_page(b, exeat)
    b.press("?")
    b.becomes("return byId('keys').open")
    b.shows("#keys", "sort the tunnels otherwise")
    b.press(Keys.ESCAPE)
    b.becomes("return !byId('keys').open")
    b.press("t")
    b.becomes("return document.documentElement.dataset.theme === 'dark'")
    b.press("t", "t")
    b.becomes("return (document.documentElement.dataset.theme ?? 'system') === 'system'")
    for key, place in zip("12345", ("findings", "budgets", "clients", "entries", "tunnels")):
        b.press(key)
        b.becomes("return document.activeElement.id === arguments[0]", place)
    b.press("s")
    b.becomes("return byId('sort').value === 'download'")
    b.press("/")
    b.press("127.0.0.5")
    b.shows("#counted", "1 of 2")
    b.press(Keys.ESCAPE, "/")
    b.press(Keys.BACKSPACE)
    b.shows("#counted", "must be an IP address")
    b.press(*[Keys.BACKSPACE] * 8)
    b.shows("#counted", "2 of 2")
    b.press(Keys.ESCAPE, "p")
    b.shows("#fresh", "paused")
    b.press("p")
    b.shows("#fresh", "live")


def test_what_is_focused_or_selected_stays_while_the_numbers_change(exeat, browser, traffic):
    b = browser
    open_page(b, exeat)
    b.shows("#clients", "lab/127.0.0.7")
    b.run("[...document.querySelectorAll('#clients button')].find(e => e.textContent === 'lab/127.0.0.7').focus()")
    b.run("getSelection().selectAllChildren(document.querySelectorAll('#policy > span')[1].lastChild)")
    hash_ = b.run("return String(getSelection())")
    assert len(hash_) == 64
    upload(exeat, "api.page.test", 20 * MIB, "127.0.0.7")  # which makes it the first of the table
    wait_until(lambda: b.run("return document.querySelector('#clients tbody').rows[0].innerText").startswith("lab/127.0.0.7"), what="the table has another order")
    assert b.run("return document.activeElement.textContent") == "lab/127.0.0.7"
    assert b.run("return String(getSelection())") == hash_


def test_every_control_can_be_reached_and_seen_with_the_tab_key(browser, traffic):
    wanted = browser.run("return [...document.querySelectorAll('button:not(:disabled):not(dialog *):not(td *), input, select, a, summary')].length")
    browser.run("document.activeElement.blur(); scrollTo(0, 0)")
    reached = set()
    for _ in range(wanted + 120):
        browser.press(Keys.TAB)
        seen = browser.run("const e = document.activeElement; return e === document.body ? null : [e.tagName + (e.id || e.textContent || e.href), getComputedStyle(e).outlineStyle]")
        if seen:
            reached.add(seen[0])
            assert seen[1] != "none", seen
    assert {"BUTTONpause", "BUTTONtheme", "BUTTONhelp", "INPUTclient", "INPUTentry", "SELECTsort"} <= reached and any("127.0.0.5" in r for r in reached), reached


CONTRAST = """
    const parse = c => c.match(/[\\d.]+/g).map(Number), light = c => { const [r, g, b] = parse(c).map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
    const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if ((parse(c)[3] ?? 1) === 1) return c; } return "rgb(255, 255, 255)"; };
    const poor = [];
    for (const e of document.querySelectorAll("body *")) {
      if (!e.checkVisibility() || e.disabled || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
      const a = light(getComputedStyle(e).color), b = light(behind(e)), ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (ratio < 4.5) poor.push([e.tagName, e.className, e.textContent.slice(0, 30), ratio]);
    }
    return poor;
"""


@pytest.mark.parametrize("name, width, height, dark", [("wall-light", 1920, 1400, False), ("wall-dark", 1920, 1400, True), ("phone-light", 360, 3400, False), ("phone-dark", 360, 3400, True)])
def test_it_reads_well_on_a_wall_and_on_a_phone_by_day_and_by_night(exeat, browser, traffic, name, width, height, dark):
    b = browser
    b.look_like(width, height, dark)
    open_page(b, exeat)
    b.shows("#by-client .legend", "lab/127.0.0.6")
    b.shows("#tiles", "/s")
    b.picture(name)
    assert b.run("return document.documentElement.scrollWidth") <= width
    assert b.run("return [...document.querySelectorAll('canvas')].every(c => c.getBoundingClientRect().right <= innerWidth && c.getBoundingClientRect().width > 200)")
    assert b.run(CONTRAST) == []
    b.look_like(1600, 1400)


def test_when_exeat_is_gone_the_page_says_so_and_when_it_is_back_goes_on(lab, tmp_path):
    first = lab.exeat(ALLOWLIST)
    with Browser(tmp_path / "driver.log") as b:
        with first:
            open_page(b, first)
        b.shows("#trouble", "No answer")
        b.becomes("return !byId('trouble').hidden && byId('trouble').getAttribute('role') === 'alert'")
        b.picture("gone")
        with first:
            b.becomes("return byId('trouble').hidden")
            b.shows("#fresh", "live")


def test_a_list_that_does_not_load_and_report_mode_are_said_at_the_top(lab, browser):
    with lab.exeat(ALLOWLIST) as exeat:
        open_page(browser, exeat)
        exeat.reload(ALLOWLIST.replace("serial = 41", "serial = <b>"), result="error")
        browser.shows("#trouble", "last reload failed", "allowlist.toml:2")
        browser.shows("#state", "with a warning")
        browser.shows("#policy", "serial 41", "Last reload failed")
        browser.picture("trouble")
