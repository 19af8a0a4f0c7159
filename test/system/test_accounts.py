"""L12: no edit of a list gives a client a fresh budget, whatever it does to names and hosts of entries, while exeat runs and while it does not.
A start without a snapshot counts half as spent, so what is left of a budget at first is half of it."""
import datetime
import socket
import threading

import pytest
from harness.client import ask_once, connect_reply, gone, http_request, open_tunnel, read_exactly
from harness.exeat import run
from harness.http_origin import reply
from harness.origin import swallow
from harness.wait import wait_until

MEBIBYTE = 1 << 20
LEFT = MEBIBYTE // 2
HEAD = 'serial = 7\n[groups.lab]\nsources = ["127.0.0.0/8"]\n'
BUDGET = 'upload = "1 MiB/1h"'


def entry(name, *hosts, more=BUDGET, ports="[9]", protocol="tcp"):
    listed = ", ".join(f'"{h}.account.test"' for h in hosts)
    return f'[[allow]]\nname = "{name}"\nhosts = [{listed}]\nports = {ports}\nprotocol = "{protocol}"\n{more}\n'


def listing(*entries):
    return HEAD + "".join(entries)


@pytest.fixture(scope="module")
def sink(lab):
    host, _ = lab.place(*(f"{h}.account.test" for h in "xyz"), v6=False)
    return lab.origin(host, 9, serve=swallow)


@pytest.fixture(autouse=True)
def clear(sink):
    sink.clear()


def push(s, most, piece=16384):
    """Sends until it is cut or has sent all."""
    try:
        for _ in range(most // piece):
            s.sendall(bytes(piece))
        s.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def send(exeat, sink, host, bytes_):
    """So many, all of which arrive."""
    before = sink.received_bytes
    with open_tunnel(exeat, f"{host}.account.test:9") as s:
        push(s, bytes_)
        wait_until(lambda: sink.received_bytes == before + bytes_)


def push_until_cut(exeat, host):
    with open_tunnel(exeat, f"{host}.account.test:9") as s:
        push(s, 8 * MEBIBYTE)
        assert gone(s)


def uploaded(exeat):
    exeat.settled()
    return exeat.metric("bytes_total", direction="upload")


def is_spent(exeat, host):
    return connect_reply(exeat, f"{host}.account.test:9").reason == "budget"


GROUPS = '[groups.one]\nsources = ["{}"]\n[groups.two]\nsources = ["{}"]\n'
BY_GROUP = [entry(n, "x", more=f'{BUDGET}\ngroups = ["{g}"]') for n, g in (("a", "one"), ("b", "two"))]
EDITS = {
    "renamed": ([entry("a", "x")], "x", [entry("b", "x")], "x"),
    "split, the part that keeps its name": ([entry("a", "x", "y")], "x", [entry("a", "x"), entry("b", "y")], "x"),
    "split, the other part": ([entry("a", "x", "y")], "x", [entry("a", "x"), entry("b", "y")], "y"),
    "joined": ([entry("a", "x"), entry("b", "y")], "y", [entry("c", "x", "y")], "x"),
    "moved": ([entry("a", "x", "y"), entry("b", "z")], "y", [entry("a", "x"), entry("b", "y", "z")], "z"),
    "swapped": ([entry("a", "x"), entry("b", "y")], "x", [entry("a", "y"), entry("b", "x")], "x"),
    "another protocol and group": ([entry("a", "x")], "x", ['[groups.more]\nsources = ["127.0.0.1/32"]\n', entry("b", "x", more=f'{BUDGET}\ngroups = ["more"]')], "x"),
    "another port, and the old one": ([entry("a", "x")], "x", [entry("b", "x", ports="[9, 10]")], "x"),
    "from the purpose's budget": ([entry("a", "x", more='purpose = "api"')], "x", [entry("a", "x")], "x"),
    "two entries to one account": ([entry("a", "x"), entry("b", "y")], "y",
                                   [entry(n, h, more=f'{BUDGET}\naccount = "one"') for n, h in (("a", "x"), ("b", "y"))], "x"),
    "one account to two": ([entry(n, h, more=f'{BUDGET}\naccount = "one"') for n, h in (("a", "x"), ("b", "y"))], "y", [entry("a", "x"), entry("b", "y")], "x"),
    "of two with the host, the other one first": ([entry("a", "x"), entry("b", "x")], "x", [entry("b", "x"), entry("a", "x")], "x"),
    "of two with the host, the first for another group": (
        [GROUPS.format("127.0.0.0/8", "10.9.9.9"), *BY_GROUP], "x", [GROUPS.format("10.9.9.9", "127.0.0.0/8"), *BY_GROUP], "x"),
    "of two with the host, the first for another protocol": ([entry("a", "x"), entry("b", "x")], "x", [entry("a", "x", protocol="http"), entry("b", "x")], "x"),
    "of two with the host, the end of the first has passed": (
        [entry("a", "x"), entry("b", "x")], "x", [entry("a", "x", more=f"{BUDGET}\nexpires = 2020-01-01T00:00:00Z"), entry("b", "x")], "x"),
    "of two with the host one goes": ([entry("a", "x"), entry("b", "x")], "x", [entry("b", "x")], "x"),
}
SENT = 3 * LEFT // 4


@pytest.mark.parametrize("edit", EDITS)
def test_what_was_sent_before_an_edit_counts_after_it(lab, sink, edit):
    before, through, after, asked = EDITS[edit]
    with lab.exeat(listing(*before)) as exeat:
        send(exeat, sink, through, SENT)
        exeat.reload(listing(*after))
        push_until_cut(exeat, asked)
        assert uploaded(exeat) == LEFT
        assert is_spent(exeat, asked)


@pytest.mark.parametrize("edit", EDITS)
def test_what_was_sent_before_an_edit_while_exeat_is_down_counts_after_it(lab, sink, tmp_path, edit):
    before, through, after, asked = EDITS[edit]
    state = tmp_path / "state"
    state.mkdir()
    with lab.exeat(listing(*before), policy={"state": str(state)}) as exeat:
        send(exeat, sink, through, SENT)
        exeat.settled()
    with lab.exeat(listing(*after), policy={"state": str(state)}) as exeat:
        push_until_cut(exeat, asked)
        assert uploaded(exeat) == LEFT - SENT
        assert is_spent(exeat, asked)


def began_with_all(lab, tmp_path, text, **more):
    """exeat, not running, whose budgets are whole."""
    state = tmp_path / "state"
    state.mkdir()
    exeat = lab.exeat(text, policy={"state": str(state)}, **more)
    assert run("state", "init", "--config", exeat.config_path).returncode == 0
    return exeat


def killed(exeat):
    exeat.process.kill()
    exeat.process.wait()
    exeat.start()


def test_a_kill_right_after_a_reload_gives_nothing_back(lab, sink, tmp_path):
    """What was inherited is on disk before the list by which it was; what the heir took is in the tally."""
    with began_with_all(lab, tmp_path, listing(entry("m0", "x"))) as exeat:
        for n in range(1, 4):
            send(exeat, sink, "x", MEBIBYTE // 8)
            exeat.reload(listing(entry(f"m{n}", "x")))
            send(exeat, sink, "x", MEBIBYTE // 16)
            killed(exeat)
            exeat.reload(listing(entry(f"n{n}", "x")))
            exeat.reload(listing(entry(f"o{n}", "x")))
            killed(exeat)
        push_until_cut(exeat, "x")
        assert is_spent(exeat, "x")
        wait_until(sink.at_rest)
        assert sink.received_bytes <= MEBIBYTE


def test_an_entry_that_ends_by_itself_leaves_what_was_sent_to_the_one_behind_it(lab, sink, tmp_path):
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=8)
    behind = entry("b", "x")
    with began_with_all(lab, tmp_path, listing(entry("a", "x", more=f"{BUDGET}\nexpires = {end:%Y-%m-%dT%H:%M:%SZ}"), behind)) as exeat:
        push_until_cut(exeat, "x")
        wait_until(lambda: datetime.datetime.now(datetime.timezone.utc) > end + datetime.timedelta(seconds=1))
        assert is_spent(exeat, "x")
        wait_until(lambda: [line["rule.name"] for line in exeat.audit(event__action="deny")][-1:] == ["b"])
        exeat.reload(listing(entry("a", "x"), behind))
        assert is_spent(exeat, "x")


def test_a_total_stays_spent_when_the_clients_change_their_group_in_two_steps(lab, sink, tmp_path):
    def of(first, second):
        total = BUDGET.replace("upload", "upload_total") + '\nupload = "9 MiB/1h"'
        return listing(GROUPS.format(first, second), *(entry(n, "x", more=f'{total}\ngroups = ["{g}"]') for n, g in (("a", "one"), ("b", "two")))).replace('"127.0.0.0/8"]\n[groups.one', '"10.8.8.8"]\n[groups.one')
    with began_with_all(lab, tmp_path, of("127.0.0.0/8", "10.9.9.9")) as exeat:
        push_until_cut(exeat, "x")
        exeat.reload(of("10.9.9.8", "10.9.9.9"))
        assert connect_reply(exeat, "x.account.test:9").reason == "source_not_allowed"
        exeat.reload(of("10.9.9.8", "127.0.0.0/8"))
        assert is_spent(exeat, "x")


def test_hosts_that_nobody_had_and_ports_that_do_not_meet_begin_anew(lab, sink):
    with lab.exeat(listing(entry("a", "x"))) as exeat:
        push_until_cut(exeat, "x")
        exeat.reload(listing(entry("b", "y"), entry("c", "x", ports="[10]")))
        push_until_cut(exeat, "y")
        assert uploaded(exeat) == 2 * LEFT
        assert connect_reply(exeat, "x.account.test:10").reason != "budget"


@pytest.mark.parametrize("down", [False, True], ids=["reload", "restart"])
def test_an_entry_that_is_taken_out_and_put_back_under_another_name_has_spent_what_it_had(lab, sink, tmp_path, down):
    state = tmp_path / "state"
    state.mkdir()
    lists = [listing(entry("a", "x"), entry("b", "y")), listing(entry("b", "y")), listing(entry("c", "x"), entry("b", "y"))]
    exeat = lab.exeat(lists[0], policy={"state": str(state)})
    with exeat:
        push_until_cut(exeat, "x")
        exeat.reload(lists[1])
        if not down:
            exeat.reload(lists[2])
            assert is_spent(exeat, "x")
            return
    with lab.exeat(lists[2], policy={"state": str(state)}) as exeat:
        assert is_spent(exeat, "x") and not is_spent(exeat, "y")


def test_a_tunnel_that_was_open_before_a_rename_and_one_that_opens_after_it_have_one_budget(lab, sink):
    with lab.exeat(listing(entry("a", "x")), limits={"workers": 4}) as exeat:
        with open_tunnel(exeat, "x.account.test:9") as first:
            first.sendall(bytes(LEFT // 2))
            wait_until(lambda: sink.received_bytes == LEFT // 2)
            exeat.reload(listing(entry("b", "x")))
            first.sendall(bytes(LEFT // 4))
            wait_until(lambda: sink.received_bytes == 3 * LEFT // 4)
            push_until_cut(exeat, "x")
            assert gone_after_a_byte(first)
        assert uploaded(exeat) == LEFT


def gone_after_a_byte(s):
    try:
        s.sendall(b"x")
    except OSError:
        return True
    return gone(s)


def test_not_a_byte_more_leaves_while_lists_follow_each_other_and_tunnels_send(lab, sink):
    """Old tunnels, new ones, and those in between, on four workers: all that any of them sends is one budget's."""
    lists = [listing(entry("a", "x", "y")), listing(entry("b", "x"), entry("a", "y")), listing(entry("c", "y", "x"))]
    with lab.exeat(lists[0], limits={"workers": 4}) as exeat:
        over = threading.Event()

        def client():
            while not over.is_set():
                try:
                    with open_tunnel(exeat, "x.account.test:9") as s:
                        for _ in range(16):
                            s.sendall(bytes(400))
                            over.wait(0.002)
                except (OSError, AssertionError):
                    over.wait(0.01)  # refused, or cut

        crowd = [threading.Thread(target=client) for _ in range(12)]
        for t in crowd:
            t.start()
        n = 0
        while not is_spent(exeat, "x"):
            n += 1
            exeat.reload(lists[n % 3] + f"# {n}\n")
        for more in range(3):
            exeat.reload(lists[more] + f"# after {more}\n")
            assert is_spent(exeat, "x")
        over.set()
        for t in crowd:
            t.join()
        assert LEFT // 2 < uploaded(exeat) <= LEFT, "what is taken in the moment of a copy may count twice"


def test_a_total_over_all_clients_goes_with_the_hosts(lab, sink):
    total = 'upload = "64 MiB/1h"\nupload_total = "1 MiB/1h"'
    with lab.exeat(listing(entry("a", "x", more=total))) as exeat:
        send(exeat, sink, "x", SENT)
        exeat.reload(listing(entry("b", "x", more=total)))
        with open_tunnel(exeat, "x.account.test:9", source="127.0.0.7") as s:
            push(s, 8 * MEBIBYTE)
            assert gone(s)
        assert uploaded(exeat) == LEFT


def test_entries_of_one_account_share_one_budget_which_has_its_name(lab, sink):
    shared = f'{BUDGET}\naccount = "both"'
    with lab.exeat(listing(entry("a", "x", more=shared), entry("b", "y", more=shared), entry("c", "z"))) as exeat:
        send(exeat, sink, "x", SENT)
        push_until_cut(exeat, "y")
        assert uploaded(exeat) == LEFT
        assert is_spent(exeat, "x") and is_spent(exeat, "y") and not is_spent(exeat, "z")
        status, page = exeat.fetch("/api/status")
        assert status == 200 and '"both"' in page


def test_an_account_that_cannot_be_is_an_error_with_both_places_and_what_to_do(tmp_path):
    shared = entry("a", "x", more='upload = "1 MiB/1h"\naccount = "both"'), entry("b", "y", more='upload = "2 MiB/1h"\naccount = "both"')
    path = tmp_path / "allowlist.toml"
    path.write_text(listing(*shared))
    done = run("check", path)
    assert done.returncode == 1
    assert f"{path}:11:1: error: 'b' shares account 'both' with 'a' ({path}:4), which has another upload, upload_identity or upload_total; write the same in both" in done.stdout
    path.write_text(listing(shared[0]))
    (tmp_path / "allowlist.d").mkdir()
    (tmp_path / "allowlist.d" / "more.toml").write_text(shared[1])
    done = run("check", path)
    assert done.returncode == 1 and f"allowlist.d/more.toml:1:1: error: 'b' shares account 'both' with 'a' ({path}:4)" in done.stdout


# ---- what is kept of an entry beside its uploads


@pytest.fixture(scope="module")
def names(lab):
    host, _ = lab.addresses()
    lab.http_origin(host, routes={"*": reply(b"hello\n")})
    for i in range(9):
        lab.dns.set(f"n{i}.wild.account.test", host)


def get(exeat, name):
    return ask_once(exeat, http_request("GET", f"http://{name}.wild.account.test/", ["Connection: close"]))


@pytest.mark.parametrize("down", [False, True], ids=["reload", "restart"])
def test_names_of_a_wildcard_that_were_used_count_under_another_name_of_the_entry(lab, names, tmp_path, down):
    wild = [listing(entry(name, "*.wild", more="names = 6", ports="[80]", protocol="http")) for name in ("wide", "wider")]
    state = tmp_path / "state"
    state.mkdir()

    def after(exeat):
        assert get(exeat, "n3").reason == "name_budget"
        assert get(exeat, "n2").status == 200, "it was used before the edit"

    with lab.exeat(wild[0], policy={"state": str(state)}) as exeat:
        for i in range(3):  # half of it
            assert get(exeat, f"n{i}").status == 200
        if not down:
            exeat.reload(wild[1])
            return after(exeat)
    with lab.exeat(wild[1], policy={"state": str(state)}) as exeat:
        after(exeat)


def test_who_is_shut_out_of_an_entry_is_shut_out_of_what_follows_it(lab):
    host, _ = lab.place("echo.account.test", "calm.account.test", v6=False)
    lab.origin(host, 7)
    lists = [listing(entry(n, "echo", more="", ports="[7]"), entry("calm", "calm", more="", ports="[7]")) for n in ("raw", "cooked")]
    running = lab.exeat(lists[0])
    running.config_path.write_text(running.config_path.read_text() + '[detect.drip]\naction = "cut"\nthreshold = 1000000\n')
    with running as exeat:
        with open_tunnel(exeat, "echo.account.test:7") as s:
            for _ in range(20):
                s.sendall(bytes(100_000))
                read_exactly(s, 100_000)
        wait_until(lambda: connect_reply(exeat, "echo.account.test:7").reason == "anomaly")
        exeat.reload(lists[1])
        assert connect_reply(exeat, "echo.account.test:7").reason == "anomaly"
        assert connect_reply(exeat, "calm.account.test:7").status == 200


def test_a_bucket_that_was_nearly_full_is_nearly_full_under_another_name(lab):
    host, _ = lab.place("drop.account.test", v6=False)
    lab.origin(host, 7)
    running = lab.exeat(listing(entry("raw", "drop", more="", ports="[7]")))
    running.config_path.write_text(running.config_path.read_text() + '[detect.drip]\naction = "cut"\nthreshold = 1500000\n')

    def upload(count):
        with open_tunnel(exeat, "drop.account.test:7") as s:
            for _ in range(count):
                s.sendall(bytes(100_000))
                read_exactly(s, 100_000)
        exeat.settled()

    with running as exeat:
        upload(11)
        exeat.reload(listing(entry("cooked", "drop", more="", ports="[7]")))
        assert exeat.metric("anomalies_total", detector="drip") == 0
        upload(6)
        wait_until(lambda: exeat.metric("anomalies_total", detector="drip", action="cut") == 1)


def test_a_file_of_accounts_that_is_damaged_is_told_and_written_anew(lab, sink, tmp_path):
    """What counts then is in test/ops/test_account_ledger.cpp: a start of a test counts half as spent in any case."""
    state = tmp_path / "state"
    state.mkdir()
    with lab.exeat(listing(entry("a", "x")), policy={"state": str(state)}) as exeat:
        assert (state / "accounts").stat().st_mode & 0o777 == 0o600
        push_until_cut(exeat, "x")
    whole = (state / "accounts").read_bytes()
    (state / "accounts").write_bytes(whole[:-1])
    with lab.exeat(listing(entry("a", "x")), policy={"state": str(state)}) as exeat:
        assert "which hosts are whose upload budget cannot be read, so all budgets count as half spent" in exeat.log()
        assert is_spent(exeat, "x")
        assert (state / "accounts").read_bytes() == whole
