"""Lists that are copied over the old one while exeat looks (scp, curl -o, network folders): what is half there is not taken for all."""
import itertools
import os
import re
import signal
import time

import pytest
from harness.client import alive, connect_reply, gone, open_tunnel
from harness.wait import stays, wait_until

NAMES = [f"{letter}.place.test" for letter in "abc"]


def allowlist(*names, serial=7):
    entries = "".join(f'[[allow]]\nname = "e-{n[0]}"\nhosts = ["{n}"]\nports = [7]\nprotocol = "tcp"\n' for n in names)
    return f'serial = {serial}\n[groups.lab]\nsources = ["127.0.0.1"]\n{entries}'


WHOLE = allowlist(*NAMES)
PART = allowlist(*NAMES[:2])  # the same, but for its end
assert WHOLE.startswith(PART)


@pytest.fixture(scope="module", autouse=True)
def origin(lab):
    host, _ = lab.place(*NAMES, v6=False)
    return lab.origin(host, 7)


@pytest.fixture
def exeat(lab):
    with lab.exeat(WHOLE) as running:
        yield running


def allowed(exeat, name):
    return connect_reply(exeat, f"{name}:7").status == 200


def in_place(path, text, pause=None):
    """As scp and curl -o do it: one descriptor, truncated, and written in two parts."""
    half = len(PART)
    with open(path, "w", buffering=1) as file:
        file.write(text[:half])
        file.flush()
        if pause:
            pause()
        file.write(text[half:])


def test_a_copy_that_pauses_in_the_middle_is_read_when_it_is_closed(exeat):
    """The pause is longer than the one of 400 ms that once cut tunnels, and shorter than the time after which a silent writer is given up."""
    reloads = exeat.metric("policy_reloads_total")
    with open_tunnel(exeat, "c.place.test:7") as c:
        in_place(exeat.allowlist_path, WHOLE.replace("serial = 7", "serial = 8"),
                 lambda: stays(lambda: alive(c) and exeat.metric("policy_reloads_total") == reloads, 1.5))
        wait_until(lambda: exeat.metrics().has("exeat_policy_info", serial="8"))
        assert alive(c)
    assert exeat.metric("policy_reloads_total") == reloads + 1
    assert "held back" not in exeat.log()


def test_a_list_that_is_only_the_beginning_of_what_it_was_is_held_back_until_it_is_asked_for(exeat):
    with open_tunnel(exeat, "a.place.test:7") as a, open_tunnel(exeat, "c.place.test:7") as c:
        exeat.allowlist_path.write_text(PART)
        wait_until(lambda: "is held back, the old one stays" in exeat.log())
        assert str(exeat.allowlist_path) in exeat.log() and "SIGHUP" in exeat.log()
        assert alive(c) and allowed(exeat, "c.place.test")
        exeat.signal(signal.SIGHUP)
        assert gone(c)
        wait_until(lambda: connect_reply(exeat, "c.place.test:7").reason == "not_allowed")
        assert alive(a)


def replace(path, text):
    new = path.with_suffix(".new")
    new.write_text(text)
    new.rename(path)


def with_denies(text, **files):
    """The list with a [[deny]] for each of these hosts files."""
    denies = "".join(f'[[deny]]\nname = "{name}"\nhosts_file = "{file}"\n' for name, file in files.items())
    return text.replace("[[allow]]", denies + "[[allow]]", 1)


def test_a_list_that_is_held_back_is_taken_after_a_while_also_when_other_files_change(lab, tmp_path):
    path, feed = tmp_path / "allowlist.toml", tmp_path / "feed.txt"
    feed.write_text("nobody.test\n")
    path.write_text(with_denies(WHOLE, feed="feed.txt"))
    with lab.exeat(None, allowlist_path=path) as exeat, open_tunnel(exeat, "c.place.test:7") as c:
        path.write_text(with_denies(PART, feed="feed.txt"))
        wait_until(lambda: "is held back" in exeat.log())
        assert alive(c)
        changes = itertools.count()

        def taken():
            replace(feed, f"n{next(changes)}.test\na.place.test\n")
            return connect_reply(exeat, "c.place.test:7").reason == "not_allowed"

        wait_until(taken, 60, "nobody has written on, so it is meant")
        assert gone(c) and connect_reply(exeat, "a.place.test:7").reason == "denied_by_rule"
        assert exeat.log().count("is held back") == 1


def test_what_is_written_while_lists_are_read_is_not_taken_by_half(lab, tmp_path):
    """A long file keeps the loader busy while another one is truncated and written anew: the allowlist was renamed, so all are read."""
    path, long, short = tmp_path / "allowlist.toml", tmp_path / "long.txt", tmp_path / "short.txt"
    long.write_text("".join(f"host-{n}.feed.test\n" for n in range(600_000)))
    names = "c.place.test\n" + "".join(f"h{n}.deny.test\n" for n in range(1_000)) + "b.place.test\n"
    short.write_text(names)
    text = with_denies(WHOLE, long="long.txt", short="short.txt")
    path.write_text(text)
    denied = lambda: connect_reply(exeat, "b.place.test:7").reason == "denied_by_rule"  # noqa: E731
    with lab.exeat(None, allowlist_path=path) as exeat:
        taken = lambda serial: exeat.metrics().has("exeat_policy_info", serial=str(serial))  # noqa: E731
        began = time.monotonic()
        replace(path, text.replace("serial = 7", "serial = 8"))
        wait_until(lambda: taken(8))
        whole = time.monotonic() - began  # how long the loading takes here
        for turn in range(12):
            replace(path, text.replace("serial = 7", f"serial = {9 + turn}"))
            time.sleep(whole * (0.2 + turn % 6 * 0.1))  # in some turns this is in the middle of it, in the others it must hold as well
            with open(short, "w", buffering=1) as file:
                file.write(f"# {turn}\n" + names[:len(names) // 2])
                file.flush()
                stays(denied, 1.5)
                file.write(names[len(names) // 2:])
            wait_until(lambda serial=9 + turn: taken(serial))
            assert denied()
            if turn >= 3 and "read again" in exeat.log():
                break
        assert "read again" in exeat.log(), "one of the turns met the loader"


def test_a_file_is_not_whole_because_one_of_its_name_elsewhere_was_closed(lab, tmp_path):
    path, files = tmp_path / "allowlist.toml", [tmp_path / folder / "names.txt" for folder in "ab"]
    names = "".join(f"h{n}.deny.test\n" for n in range(1_000)) + "b.place.test\n"
    for file in files:
        file.parent.mkdir()
        file.write_text(names)
    files[1].write_text("nobody.test\n")
    path.write_text(with_denies(WHOLE, first="a/names.txt", second="b/names.txt"))
    with lab.exeat(None, allowlist_path=path) as exeat:
        with open(files[0], "w", buffering=1) as half:
            half.write("# changed\n" + names[:500])
            half.flush()
            replace(files[1], "somebody.test\n")
            files[1].write_text("anybody.test\n")
            stays(lambda: connect_reply(exeat, "b.place.test:7").reason == "denied_by_rule", 1.5)
            half.write(names[500:])
        wait_until(lambda: exeat.metric("policy_reloads_total", result="ok") >= 1)
        assert connect_reply(exeat, "b.place.test:7").reason == "denied_by_rule"


def test_a_list_that_is_held_back_and_then_whole_is_taken_at_once(exeat):
    with open_tunnel(exeat, "c.place.test:7") as c:
        exeat.allowlist_path.write_text(PART)
        wait_until(lambda: "is held back" in exeat.log())
        exeat.allowlist_path.write_text(WHOLE + "# all of it\n")
        wait_until(lambda: "allowlist reloaded" in exeat.log())
        assert alive(c) and allowed(exeat, "c.place.test")


def test_a_shorter_list_by_rename_is_meant(exeat):
    with open_tunnel(exeat, "c.place.test:7") as c:
        exeat.reload(PART)
        assert gone(c)
    assert "held back" not in exeat.log()


def test_a_shorter_list_that_is_no_part_of_the_old_one_is_taken(exeat):
    with open_tunnel(exeat, "c.place.test:7") as c:
        exeat.allowlist_path.write_text(allowlist(*NAMES[:2], serial=8))
        assert gone(c)


def test_hosts_files_and_parts_are_held_back_in_the_same_way(lab, tmp_path):
    (tmp_path / "allowlist.d").mkdir()
    names, part, path = tmp_path / "names.txt", tmp_path / "allowlist.d" / "more.toml", tmp_path / "allowlist.toml"
    names.write_text("a.place.test\nb.place.test\n")
    entry = '[[allow]]\nname = "{0}"\nhosts = ["{0}.place.test"]\nports = [7]\nprotocol = "tcp"\n'
    part.write_text(entry.format("d") + entry.format("c"))
    path.write_text(allowlist() + '[[allow]]\nname = "file"\nhosts_file = "names.txt"\nports = [7]\nprotocol = "tcp"\n')
    with lab.exeat(None, allowlist_path=path) as exeat, open_tunnel(exeat, "b.place.test:7") as b, open_tunnel(exeat, "c.place.test:7") as c:
        names.write_text("a.place.test\n")
        wait_until(lambda: exeat.log().count("is held back") == 1 and str(names) in exeat.log())
        part.write_text(entry.format("d"))
        wait_until(lambda: exeat.log().count("is held back") == 2)
        assert alive(b) and alive(c)
        exeat.signal(signal.SIGHUP)
        assert gone(b) and gone(c)


def test_a_writer_that_pauses_for_long_is_waited_for_and_everybody_can_see_that(exeat):
    """Longer than the silence that is enough where the kernel does not tell who writes."""
    with open_tunnel(exeat, "c.place.test:7") as c:
        in_place(exeat.allowlist_path, WHOLE.replace("serial = 7", "serial = 8"), lambda: stays(lambda: alive(c), 4))
        wait_until(lambda: exeat.metrics().has("exeat_policy_info", serial="8"))
        with open(exeat.allowlist_path, "w", buffering=1) as file:
            file.write(PART)
            file.flush()
            wait_until(lambda: "is still being written" in exeat.fetch("/readyz")[1], 20)
            file.write(WHOLE[len(PART):] + "# more\n")
        wait_until(lambda: "is still being written" not in exeat.fetch("/readyz")[1])
        assert alive(c)


def test_a_writer_that_never_closes_is_read_when_it_has_been_silent_for_long(exeat):
    with open(exeat.allowlist_path, "w") as file:
        file.write(allowlist(*NAMES[:1], serial=8))
        file.flush()
        wait_until(lambda: exeat.metrics().has("exeat_policy_info", serial="8"), 90, "the writer is given up after a minute")
    assert not allowed(exeat, "c.place.test")


def test_a_lower_serial_is_warned_of(exeat):
    exeat.reload(WHOLE.replace("serial = 7", "serial = 6"))
    assert re.search("lower serial than the one before it; serial: 6; before: 7", exeat.log())


def test_whoever_waits_for_an_answer_gets_one(exeat):
    """On SIGHUP, after a list that was refused and after one that was held back, also when nothing changes."""
    same = lambda n: wait_until(lambda: exeat.log().count("the file is the list in force again") == n)  # noqa: E731
    exeat.signal(signal.SIGHUP)
    same(1)
    exeat.reload("no list", result="error")
    exeat.reload(WHOLE)
    same(2)
    exeat.allowlist_path.write_text(PART)
    wait_until(lambda: "is only the beginning of what it was; it is taken" in exeat.fetch("/readyz")[1])
    exeat.allowlist_path.write_text(WHOLE)
    same(3)
    assert exeat.fetch("/readyz")[1] == "ready\n"


def test_settings_that_have_changed_are_said_to_need_a_restart(exeat):
    exeat.config_path.write_text(exeat.config_path.read_text() + "# more\n")
    exeat.signal(signal.SIGHUP)
    wait_until(lambda: re.search(f"the settings have changed since the start.*{exeat.config_path}.*restart", exeat.log()))


def test_a_list_without_its_last_line_is_not_taken_where_that_is_required(lab):
    with lab.exeat(WHOLE + "end = true\n", policy={"require_end": True}) as exeat, open_tunnel(exeat, "c.place.test:7") as c:
        exeat.reload(PART, result="error")
        assert "does not end with the line end = true" in exeat.log()
        exeat.signal(signal.SIGHUP)
        wait_until(lambda: exeat.metric("policy_reloads_total", result="error") >= 2)
        assert alive(c)
        exeat.reload(PART + "end = true\n")
        assert gone(c)


def test_a_change_under_the_same_serial_is_warned_of(exeat):
    exeat.reload(WHOLE.replace("serial = 7", "serial = 8"))
    assert "its serial has not" not in exeat.log()
    exeat.reload(WHOLE.replace("serial = 7", "serial = 8") + "# more\n")
    assert exeat.log().count("the allowlist has changed and its serial has not") == 1


def test_a_symlink_that_is_swapped_is_taken_at_once_and_whole(lab, tmp_path):
    (tmp_path / "one").write_text(WHOLE)
    (tmp_path / "two").write_text(PART)
    path = tmp_path / "allowlist.toml"
    path.symlink_to("one")
    with lab.exeat(None, allowlist_path=path) as exeat, open_tunnel(exeat, "c.place.test:7") as c:
        (tmp_path / "next").symlink_to("two")
        os.replace(tmp_path / "next", path)
        assert gone(c)
        assert "held back" not in exeat.log()
