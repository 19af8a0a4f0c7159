"""The lists of conf/presets: each is one to start from, all of them work together, and exeat prints them as they are."""
import re
import subprocess
import tomllib

import pytest
from harness.exeat import BINARY, REPOSITORY, run
from harness.wait import seconds

DIRECTORY = REPOSITORY / "conf/presets"
NAMES = sorted(path.stem for path in DIRECTORY.glob("*.toml"))
WHOLE_LIST_ONLY = "# ---- The rest makes it a list of its own"
FIELDS = ["Use", "Hosts", "Opens", "Closed", "Shared", "Budget"]
ASKED_FOR = {"python", "conda", "debian", "ubuntu", "hugging-face", "github-read", "registry-docker-hub", "registry-ghcr", "registry-quay", "registry-nvcr", "nvidia",
             "tracking-wandb", "tracking-mlflow", "tracking-comet", "tracking-neptune", "api-openai", "api-anthropic", "api-google", "api-mistral", "api-azure-openai",
             "link-azure", "link-aws", "s3-gateway"}


def text_of(name):
    return (DIRECTORY / f"{name}.toml").read_text()


def entries_of(text):
    tree = tomllib.loads(text)
    return tree.get("allow", []) + tree.get("private_link", [])


def budgets_of_purposes():
    """{purpose: "4 MiB/1h, 16 MiB/24h, 64 MiB/7d"}: the budgets that a purpose brings."""
    rows = re.findall(r"^\| `(\w+)`[^|]*\|[^|]*\| ([\d,]+) / ([\d,]+) / ([\d,]+) MiB", (REPOSITORY / "src/manual/exeat-detection.7.md").read_text(), re.M)
    return {purpose: ", ".join(f"{amount.replace(',', '')} MiB/{window}" for amount, window in zip(amounts, ("1h", "24h", "7d"))) for purpose, *amounts in rows}


BUDGETS = budgets_of_purposes()


def opened_by(entry):
    """An entry's line of the field Opens."""
    protocol, purpose, upload = entry.get("protocol", "tls"), entry["purpose"], entry.get("upload")
    ports = entry.get("ports", [80] if protocol == "http" else [443])
    budget = BUDGETS[purpose] if upload is None else ", ".join([upload] if isinstance(upload, str) else upload)
    hosts = f"{len(entry['hosts'])} host{'s' * (len(entry['hosts']) > 1)}"
    return f"{entry['name']}: {hosts}, {protocol} {' '.join(map(str, ports))}, {purpose} ({budget})"


def fields_of(text):
    """{word: its lines} of the comment that a preset begins with."""
    found, word = {}, None
    for line in text.split("\n\n")[0].splitlines()[2:]:
        if begun := re.match(r"# (\w+): +(\S.*)", line):
            word = begun[1]
            found[word] = [begun[2]]
        else:
            found[word].append(re.fullmatch(r"#  {9}(\S.*)", line)[1])
    return found


def checked(path):
    done = run("check", "--strict", path)
    return done.returncode, re.findall(r".*(?:error|warning):.*", done.stdout + done.stderr)


def printed(*argv):
    done = subprocess.run([BINARY, "preset", *argv], capture_output=True, timeout=seconds(60), check=False)
    assert done.returncode == 0 and not done.stderr, done
    return done.stdout


def test_what_labs_ask_for_is_there():
    assert set(NAMES) == ASKED_FOR


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_is_a_list_without_a_warning(name):
    assert checked(DIRECTORY / f"{name}.toml") == (0, [])


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_is_printed_byte_by_byte_and_what_is_printed_is_a_list(name, tmp_path):
    whole = printed(name)
    assert whole == (DIRECTORY / f"{name}.toml").read_bytes() and whole.isascii()
    (tmp_path / "allowlist.toml").write_bytes(whole)
    assert checked(tmp_path / "allowlist.toml") == (0, [])


@pytest.mark.parametrize("base", ["conf/allowlist.toml", "conf/quickstart-allowlist.toml"])
def test_all_presets_are_parts_of_one_list(base, tmp_path):
    """Each name and each host is there once, so that none changes what another one opens."""
    (tmp_path / "allowlist.toml").write_text((REPOSITORY / base).read_text())
    (tmp_path / "allowlist.d").mkdir()
    for name in NAMES:
        (tmp_path / "allowlist.d" / f"{name}.toml").write_bytes(printed("--part", name))
    assert checked(tmp_path / "allowlist.toml") == (0, [])
    entries = [e for name in NAMES for e in entries_of(text_of(name))]
    hosts = [h for e in entries for h in e["hosts"]]
    assert len(set(hosts)) == len(hosts) > 60 and len({e["name"] for e in entries}) == len(entries)
    client = {"conf/allowlist.toml": "10.42.3.7", "conf/quickstart-allowlist.toml": "127.0.0.1"}[base]
    targets = [f"http://{h}" if e.get("protocol") == "http" else f"{h}:443" for e in entries for h in e["hosts"]]
    asked = run("explain", "--client", client, "--allowlist", tmp_path / "allowlist.toml", *targets)
    assert asked.returncode == 0, asked.stdout


@pytest.mark.parametrize("name", NAMES)
def test_a_list_that_began_as_a_preset_takes_all_others_as_parts(name, tmp_path):
    """No [[expect]] of one denies what another one opens."""
    (tmp_path / "allowlist.toml").write_bytes(printed(name))
    (tmp_path / "allowlist.d").mkdir()
    for other in set(NAMES) - {name}:
        (tmp_path / "allowlist.d" / f"{other}.toml").write_bytes(printed("--part", other))
    assert checked(tmp_path / "allowlist.toml") == (0, [])


def test_two_parts_pasted_below_a_list_are_one_list(tmp_path):
    base = (REPOSITORY / "conf/quickstart-allowlist.toml").read_bytes()
    (tmp_path / "allowlist.toml").write_bytes(base + b"\n" + printed("--part", "python") + b"\n" + printed("--part", "link-aws"))
    assert checked(tmp_path / "allowlist.toml") == (0, [])


@pytest.mark.parametrize("name", NAMES)
def test_a_part_is_all_but_what_only_a_whole_list_may_have(name):
    whole, part = text_of(name), printed("--part", name).decode()
    assert whole.startswith(part + WHOLE_LIST_ONLY) or whole.startswith(part + "\n" + WHOLE_LIST_ONLY)
    assert set(tomllib.loads(part)) <= {"allow", "private_link"} and entries_of(part) == entries_of(whole)
    assert part.endswith("\n") and set(tomllib.loads(whole[len(part):])) == {"groups", "expect"}


@pytest.mark.parametrize("name", NAMES)
def test_the_head_of_a_preset_says_what_the_list_says(name):
    text = text_of(name)
    assert re.match(r"# [A-Z][^\n]*\.\n#\n# Use: ", text)
    fields = fields_of(text)
    assert list(fields) == [f for f in FIELDS if f in fields] and set(FIELDS) - set(fields) <= {"Closed"}
    assert fields["Opens"] == [opened_by(e) for e in entries_of(text)]
    assert f"exeat preset --part {name} >" in fields["Use"][0] and f"exeat preset {name} >" in fields["Use"][1]
    assert re.search(r"https://[\w.-]+/", " ".join(fields["Hosts"])), "where the vendor publishes its hosts"
    assert len(" ".join(fields["Shared"])) > 80, "who else receives what is sent there"
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("name", NAMES)
def test_an_entry_of_a_preset_names_its_budget_and_who_answers_for_it(name):
    for entry in entries_of(text_of(name)):
        assert {"name", "hosts", "purpose", "owner", "reason"} <= set(entry) and "groups" not in entry and "expires" not in entry
        assert not any("*" in host for host in entry["hosts"]), "exact names are enough"


@pytest.mark.parametrize("name", NAMES)
def test_where_a_preset_answers_for_a_shared_host_its_head_warns_of_it(name, tmp_path):
    """Without shared_suffix the check would tell; no entry has one for nothing."""
    text = text_of(name)
    answered = [e for e in entries_of(text) if "shared_suffix" in e]
    (tmp_path / "allowlist.toml").write_text(re.sub(r"^shared_suffix = .*\n", "", text, flags=re.M))
    _, told = checked(tmp_path / "allowlist.toml")
    assert len(told) == len(answered) and all("many tenants share" in line for line in told), told
    shared = " ".join(fields_of(text)["Shared"])
    assert all(host in shared for e in answered for host in e["hosts"])


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_proves_what_it_opens_and_what_stays_closed(name):
    text = text_of(name)
    expected = tomllib.loads(text)["expect"]
    opened = [e["target"] for e in expected if e["verdict"] == "allow"]
    assert opened and [e for e in expected if e["verdict"] != "allow"]
    for entry in entries_of(text):
        hosts = [re.sub(r"^http://|:\d+$", "", target) for target in opened]
        assert set(hosts) & set(entry["hosts"]), f"no [[expect]] reaches {entry['name']}"
    closed = {e["target"].removesuffix(":443") for e in expected if e["verdict"] == "not_allowed"}
    named = re.findall(r"(?<![\w.*-])[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|ai|org|io|net)(?![\w-])", " ".join(fields_of(text).get("Closed", [])))
    assert set(named) <= closed


def test_private_links_stay_inside():
    for name in ("link-azure", "link-aws", "api-azure-openai"):
        tree = tomllib.loads(text_of(name))
        assert "allow" not in tree and all(e["within"] for e in tree["private_link"])


def test_without_a_name_they_are_listed_with_a_line_each():
    rows = [line.split(None, 1) for line in printed().decode().splitlines()]
    assert rows == [[name, text_of(name).splitlines()[0].removeprefix("# ")] for name in NAMES]
    assert printed("--list") == printed()


def test_a_name_that_is_none_is_wrong_usage_and_the_near_one_is_named():
    near = run("preset", "hugging-fase")
    assert near.returncode == 2 and not near.stdout
    assert "there is no preset 'hugging-fase'; did you mean 'hugging-face'?" in near.stderr
    far = run("preset", "zzzzzz")
    assert far.returncode == 2 and "'exeat preset' lists them all" in far.stderr and not far.stdout
    for argv in (("--part",), ("python", "conda"), ("--list", "python"), ("",)):
        assert run("preset", *argv).returncode == 2, argv
    assert run("preset", "--help").returncode == 0
