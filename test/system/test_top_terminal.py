"""`exeat top` in a real terminal: what its keys do, what it shows when exeat goes away, and that the terminal is as it was before."""
import os
import re
import signal

import pytest
from harness.exeat import BINARY
from harness.fake_admin import FakeAdmin, budget, busy, busy_tunnels, client, entry, finding, status, tunnel
from harness.tmux import Tmux, ended
from harness.wait import wait_until

pytestmark = pytest.mark.usefixtures("lab")  # loopback is up

HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31m\r\n\u202ereversed\u200b\u6f22\x7f" + "A" * 10_000


def some_clients():
    return status(clients=[client("training/10.42.0.1", 10, denied=5), client("training/10.42.0.2", 20, denied=3), client("training/10.42.0.3", 30, denied=4)], clients_known=3,
                  entries=[entry("judge-models", upload=30)], budgets=[budget("10.42.0.1", "judge-models", 0.93)], denied=[{"reason": "not_allowed", "total": 17}],
                  anomalies={"total": 1, "recent": [finding("drip", "critical", "training/10.42.0.2")]})


def top(admin, *options, **more):
    return Tmux(BINARY, "top", "--admin", admin.url, *options, **more)


def ordered(terminal, wanted):
    """Waits until the clients stand so, by their last octets from the top: a screen is not drawn at once."""
    octets = lambda: "".join(line.split()[0].rsplit(".", 1)[1] for line in terminal.lines() if line.startswith("training/"))
    wait_until(lambda: octets() == wanted, what=f"{wanted}, and not {octets()}")


def seconds_of(terminal, what):
    """The number behind these words."""
    return int(wait_until(lambda: re.search(what + r" (\d+)s", terminal.screen()), what=f"{what} stands there")[1])


def restored(terminal):
    """Ended well, and everything is as it was."""
    assert terminal.status() == 0
    assert "READY" not in terminal.shows("IT IS OVER")
    before, after = terminal.settings()
    assert before == after and terminal.state("alternate_on") == "0" and terminal.state("cursor_flag") == "1"
    terminal.type("echoed")
    terminal.shows("echoed")
    return True


def test_digits_show_the_views_and_q_gives_the_terminal_back():
    with FakeAdmin(some_clients(), [tunnel(1, upload=5)]) as admin, top(admin) as terminal:
        terminal.shows("[0 overview]", "READY", "FINDING", "CLIENT", "BUDGET", "ENTRY", "DENIED", "? help  q quit")
        assert terminal.state("alternate_on") == "1" and terminal.state("cursor_flag") == "0"
        for digit, name, there in (("1", "clients", "1-3 of 3, 3 known"), ("2", "entries", "judge-models"), ("3", "tunnels", "10.42.0.7:40001"), ("4", "budgets", "[#########-]  93%"),
                                   ("5", "denied", "no rule of the allowlist names this host"), ("6", "findings", "critical")):
            terminal.press(digit)
            terminal.shows(f"[{digit} {name}]", there)
        terminal.press("?")
        terminal.shows("Ctrl-L")
        terminal.press("0")
        terminal.shows("[6 findings]", without=["Ctrl-L"])
        terminal.press("q")
        assert restored(terminal)


def test_keys_change_the_order():
    with FakeAdmin(some_clients()) as admin, top(admin, "--view", "clients", "--sort", "uploaded") as terminal:
        terminal.shows("UPLOADEDv")
        ordered(terminal, "321")
        terminal.press("r")
        terminal.shows("UPLOADED^", "by uploaded, least first")
        ordered(terminal, "123")
        terminal.press("Right", "s")
        terminal.shows("DENIEDv")
        ordered(terminal, "132")
        terminal.press("<", "Left", "<", "Left")
        terminal.shows("CLIENT^")
        ordered(terminal, "123")
        terminal.press("q")
        assert restored(terminal)


def test_a_filter_is_typed_and_given_up():
    with FakeAdmin(some_clients()) as admin, top(admin, "--view", "clients") as terminal:
        terminal.shows("1-3 of 3")
        terminal.press("/")
        terminal.type("0.22")
        terminal.press("BSpace")
        terminal.shows("filter: 0.2_", "training/10.42.0.2", without=["training/10.42.0.1"])
        terminal.press("Enter")
        terminal.shows("1-1 of 1", "filter '0.2'")
        terminal.press("Escape")
        terminal.shows("1-3 of 3", "training/10.42.0.1")
        terminal.press("/", "x", "Escape", "q")
        assert restored(terminal)


def test_a_list_is_scrolled():
    with FakeAdmin(status(clients=[client(f"training/10.42.0.{n}", 1000 - n) for n in range(1, 51)])) as admin, top(admin, "--view", "clients", rows=20) as terminal:
        terminal.shows("1-14 of 50")
        for key, there in (("Down", "2-15 of"), ("PageDown", "16-29 of"), ("End", "37-50 of"), ("Down", "37-50 of"), ("PageUp", "23-36 of"), ("Up", "22-35 of"), ("Home", "1-14 of")):
            terminal.press(key)
            terminal.shows(there)


def test_tunnels_are_asked_for_as_they_are_looked_at():
    with FakeAdmin(some_clients(), busy_tunnels(250)) as admin, top(admin) as terminal:
        terminal.press("3")
        terminal.shows("1-18 of 250, 250 in all")
        terminal.press("End", "PageDown")
        terminal.shows("101-118 of 250")
        terminal.press("Up")
        terminal.shows("83-100 of 250")
        terminal.press("/")
        terminal.type("training/10.42.0.7")
        terminal.press("Enter")
        terminal.shows("1-16 of 16, 250 in all", "10.42.0.7:40006", without=["10.42.0.8:"])
        assert "/api/tunnels?sort=upload&page=1&size=100&client=10.42.0.7" in admin.asked
        terminal.press("Escape", "/")
        terminal.type("judge-models")
        terminal.press("Enter")
        terminal.shows("1-18 of 84", "judge-models", without=["tracking"])
        terminal.press("s")
        wait_until(lambda: any("sort=entry" in path for path in admin.asked), what="exeat is asked for the order that is shown")


def test_another_size_is_drawn_at_once_and_leaves_nothing_behind():
    with FakeAdmin(some_clients()) as admin, top(admin, "--interval", "60") as terminal:
        terminal.shows("up 0 B/s")  # it has looked twice, and will not again for a minute
        for columns, rows in ((200, 50), (40, 15), (120, 30), (20, 5), (250, 12), (80, 24)):
            terminal.resize(columns, rows)
            with top(admin, "--interval", "60", columns=columns, rows=rows) as fresh:
                wait_until(lambda: terminal.lines() == fresh.lines() and len(fresh.lines()) == rows, 60,
                           f"it looks as one that began at {columns}x{rows}")
        terminal.press("q")
        assert restored(terminal)


def test_what_is_shown_is_new_and_has_rates_and_pausing_keeps_it():
    with FakeAdmin(busy()) as admin, top(admin, "--interval", "1", columns=120) as terminal:
        terminal.shows("MiB/s", "denied 3", without=["up -/s"])
        wait_until(lambda: len(admin.asked) > 6, what="it asks again")
        terminal.press("p")
        terminal.shows("PAUSED")
        age = seconds_of(terminal, "PAUSED")
        wait_until(lambda: seconds_of(terminal, "PAUSED") > age, what="it says for how long")  # so that all of it is drawn
        kept, age = terminal.screen().split("PAUSED")[0], seconds_of(terminal, "PAUSED")
        wait_until(lambda: seconds_of(terminal, "PAUSED") > age, what="it says for how long")
        assert terminal.screen().split("PAUSED")[0] == kept
        asked = len(admin.asked)
        terminal.press("p")
        wait_until(lambda: len(admin.asked) > asked, what="it asks again")
        terminal.shows("READY", without=["PAUSED"])
        terminal.press("+", "+", "+", "-")
        terminal.shows("every 5s")


def test_exeat_goes_away_and_comes_back():
    admin = FakeAdmin(some_clients())
    with top(admin, "--interval", "1") as terminal:
        terminal.shows("training/10.42.0.1")
        admin.close()
        terminal.shows("NO ANSWER for", "connection refused", "trying again every 1s", "training/10.42.0.1")
        age = seconds_of(terminal, "NO ANSWER for")
        wait_until(lambda: seconds_of(terminal, "NO ANSWER for") > age, what="it says for how long")
        again = status(clients=[client("training/10.42.0.9", 10)], uptime_seconds=1)
        with FakeAdmin(again, port=admin.port):
            terminal.shows("training/10.42.0.9", without=["NO ANSWER", "training/10.42.0.1"])
            terminal.press("q")
            assert restored(terminal)


def test_an_answer_that_is_none_keeps_what_was_known():
    with FakeAdmin(some_clients()) as admin, top(admin, "--interval", "1", columns=200) as terminal:
        terminal.shows("training/10.42.0.1")
        admin.status = b'{"version": 7}'
        terminal.shows("NO ANSWER", "version is not text", "training/10.42.0.1")
        admin.status = some_clients()
        terminal.shows("training/10.42.0.1", without=["NO ANSWER"])


def test_one_can_leave_and_look_while_exeat_hangs():
    with FakeAdmin(some_clients()) as admin, top(admin, "--interval", "1") as terminal:
        terminal.shows("training/10.42.0.1")
        admin.delay, asked = 60, len(admin.asked)
        wait_until(lambda: len(admin.asked) > asked, what="a question that is not answered")
        terminal.press("1")
        terminal.shows("[1 clients]")
        terminal.shows("NO ANSWER", "does not answer within 5 s")
        terminal.press("q")
        assert restored(terminal)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP], ids=lambda n: n.name)
def test_a_signal_gives_the_terminal_back(number):
    with FakeAdmin(some_clients()) as admin, top(admin) as terminal:
        terminal.shows("READY")
        os.kill(terminal.pid, number)
        assert restored(terminal)


def test_ctrl_c_gives_the_terminal_back():
    with FakeAdmin(some_clients()) as admin, top(admin) as terminal:
        terminal.shows("READY")
        terminal.press("C-c")
        assert restored(terminal)


def test_what_cannot_be_reached_never_takes_the_terminal():
    with FakeAdmin() as admin:
        pass
    with top(admin) as terminal:
        assert terminal.status() == 1
        terminal.shows("connection refused", "IT IS OVER")
        assert terminal.settings()[0] == terminal.settings()[1]


@pytest.mark.parametrize("environment, coloured", [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "vt100"}, False), ({"TERM": "xterm"}, True)], ids=str)
def test_colours_only_where_they_are_wanted_and_the_words_everywhere(environment, coloured):
    bad = dict(some_clients(), ready=False, reasons=["policy expired"])
    with FakeAdmin(bad) as admin, top(admin, **environment) as terminal:
        terminal.shows("NOT READY", "! policy expired", "critical", "93%")
        assert ("\x1b[31m" in terminal.with_attributes()) == coloured
        terminal.press("1", "q")
        assert restored(terminal)


def test_a_hostile_server_cannot_write_where_it_likes():
    said = status(version=HOSTILE, reasons=[HOSTILE, HOSTILE], ready=False, clients=[client(HOSTILE, 5), client("training/10.42.0.1", 4)], entries=[entry(HOSTILE, HOSTILE)],
                  budgets=[budget(HOSTILE, HOSTILE, 0.5, HOSTILE)], anomalies={"total": 1, "recent": [finding(HOSTILE, HOSTILE, HOSTILE, action=HOSTILE)]})
    with FakeAdmin(said, [tunnel(1, HOSTILE, HOSTILE, id=HOSTILE, host=HOSTILE)]) as admin, top(admin) as terminal:
        for digit in "1234560":
            terminal.press(digit)
            text = terminal.shows(f"[{digit} ", "\\x1b[2J", "q quit")
            assert "\u6f22" not in text and "\u202e" not in text and len(terminal.lines()) == 24
        assert "owned" not in terminal.state("pane_title")
        terminal.press("q")
        assert restored(terminal)


def test_a_terminal_that_goes_away_ends_it():
    with FakeAdmin(some_clients()) as admin:
        terminal = top(admin)
        terminal.shows("READY")
        pid = terminal.pid
        terminal.close()
        wait_until(lambda: ended(pid), what="it has ended")
