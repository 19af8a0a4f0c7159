"""What serves is a program of its own, and carries nothing that only people need."""
import pathlib
import shutil
import subprocess

from harness.exeat import BINARY, run

EXEATD = pathlib.Path(BINARY).with_name("exeatd")


def libraries(program):
    return subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout


def test_what_serves_has_no_importer_no_yaml_no_terminal_and_no_archive_in_it():
    symbols = subprocess.run(["nm", "-C", EXEATD], capture_output=True, text=True, check=True).stdout
    assert "exeat::ops::run_service" in symbols, "it is not stripped, so that the next line can fail"
    for foreign in ("YAML::", "exeat::ops::import_", "exeat::ops::narrow_list", "exeat::ops::replay", "initscr", "inflateInit"):
        assert foreign not in symbols
    assert not [name for name in ("yaml", "ncurses", "tinfo", "libz.") if name in libraries(EXEATD)]
    assert "yaml" in libraries(BINARY), "or the names above are wrong"


def test_serve_becomes_it_and_keeps_its_process_arguments_and_exit_codes(lab):
    allowlist = 'serial = 1\n[groups.lab]\nsources = ["127.0.0.0/8"]\n[[allow]]\nname = "e"\nhosts = ["e.exeatd.test"]\nports = [7]\nprotocol = "tcp"\n'
    with lab.exeat(allowlist) as exeat:
        assert pathlib.Path(f"/proc/{exeat.pid}/exe").resolve() == EXEATD.resolve()
    wrong = run("serve")
    assert wrong.returncode == 2 and "--config" in wrong.stderr
    assert run("serve", "--config", "/nowhere/exeat.toml").returncode == 1
    assert run("serve", "--help").returncode == 0


def test_without_it_serve_says_where_it_was_looked_for(tmp_path):
    alone = tmp_path / "bin" / "exeat"
    alone.parent.mkdir()
    shutil.copy(BINARY, alone)
    said = subprocess.run([alone, "serve", "--config", "x"], capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert f"{tmp_path}/bin/exeatd" in said.stderr and f"{tmp_path}/libexec/exeat/exeatd" in said.stderr
    installed = tmp_path / "libexec" / "exeat" / "exeatd"
    installed.parent.mkdir(parents=True)
    shutil.copy(EXEATD, installed)
    assert subprocess.run([alone, "serve", "--help"], capture_output=True, check=False).returncode == 0
    installed.chmod(0o644)
    said = subprocess.run([alone, "serve", "--help"], capture_output=True, text=True, check=False)
    assert said.returncode == 1 and "cannot run" in said.stderr and "Permission denied" in said.stderr
