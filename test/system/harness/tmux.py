"""A terminal that shows what a program makes of it: tmux, on a socket of its own."""
import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile

from .wait import seconds, wait_until


def ended(pid):
    """Also when nobody has asked yet how."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


class Tmux:
    """Runs `argv` in a shell in a terminal; `before` and `after` are the shell's settings of the terminal, `status` what the program ended with."""

    def __init__(self, *argv, columns=80, rows=24, **environment):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="tmux"))  # not tmp_path: a socket's name has a bound
        variables = {"TERM": "tmux-256color", "LC_ALL": "C.UTF-8", "NO_COLOR": "", **environment}
        program = "exec env " + " ".join(shlex.quote(str(word)) for word in [*(f"{k}={v}" for k, v in variables.items()), *argv])
        (self.directory / "run").write_text(f"trap : INT QUIT HUP\nstty -g >before\nsh -c {shlex.quote('echo $$ >pid; ' + program)}\necho $? >status.new\nstty -g >after\n"
                                            "mv status.new status\necho IT IS OVER\ncat >typed\n")
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows), "-c", str(self.directory), "sh run")
        self._shell = int(self.state("pane_pid"))

    def _tmux(self, *argv):
        done = subprocess.run(["tmux", "-S", str(self.directory / "socket"), *argv], capture_output=True, text=True, timeout=seconds(20), check=False,
                              env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})
        assert done.returncode == 0, f"tmux {argv}: {done.stderr}"
        return done.stdout

    def press(self, *keys):
        """Names as tmux has them: q, Enter, PageDown, C-c."""
        for key in keys:
            self._tmux("send-keys", key)

    def type(self, text):
        self._tmux("send-keys", "-l", text)

    def resize(self, columns, rows):
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def lines(self):
        return self._tmux("capture-pane", "-p").split("\n")[:-1]

    def screen(self):
        return "\n".join(self.lines())

    def with_attributes(self):
        """The screen with the escape sequences that make its colours."""
        return self._tmux("capture-pane", "-p", "-e")

    def shows(self, *parts, without=()):
        """Waits until all of these stand there, and none of those."""
        def there():
            now = self.screen()
            return all(p in now for p in parts) and not any(p in now for p in without) and now
        try:
            return wait_until(there, 60)
        except AssertionError:
            raise AssertionError(f"it does not show {parts} without {without}, but:\n{self.screen()}") from None

    def state(self, name):
        """Such as alternate_on, cursor_flag."""
        return self._tmux("display-message", "-p", f"#{{{name}}}").strip()

    @property
    def pid(self):
        return int(wait_until(lambda: (self.directory / "pid").exists() and (self.directory / "pid").read_text(), what="the program has a number"))

    def status(self):
        """Waits for the program's end."""
        return int(wait_until(lambda: (self.directory / "status").exists() and (self.directory / "status").read_text(), 60, "the program has ended"))

    def settings(self):
        return [(self.directory / name).read_text() for name in ("before", "after")]

    def close(self):
        subprocess.run(["tmux", "-S", str(self.directory / "socket"), "kill-server"], capture_output=True, timeout=seconds(20), check=False)
        wait_until(lambda: ended(self._shell), 60, "the shell in the terminal has ended")
        shutil.rmtree(self.directory)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
