"""Processes on a core of their own, and what the kernel says that they use."""
import os
import pathlib
import re
import signal
import subprocess
import time

PROXY_CORE, LOAD_CORE = 0, 1


def wait_until(true, within, what):
    """The first truthy value of `true()`."""
    end = time.monotonic() + within
    while True:
        value = true()
        if value:
            return value
        if time.monotonic() > end:
            raise RuntimeError(f"did not happen within {within} s: {what}")
        time.sleep(0.01)


def pinned(argv, cores, **options):
    return subprocess.Popen([str(a) for a in argv], preexec_fn=lambda: os.sched_setaffinity(0, cores), **options)


def end(process, within=10):
    """By its id, first asked, then made to."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def tree(pid):
    """The process and all that it started."""
    try:
        children = [c for task in pathlib.Path(f"/proc/{pid}/task").iterdir() for c in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(each for child in children for each in tree(int(child)))]


def cpu_seconds(pids):
    """Over all threads, in nanoseconds' steps; utime and stime of /proc/PID/stat are the same sum in steps of 10 ms."""
    return sum(time.clock_gettime((~pid << 3) | 2) for pid in pids)  # what clock_getcpuclockid(3) makes


def thread_cpu_seconds(pid):
    """By thread: {tid: (name, seconds)}."""
    out = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        out[int(task.name)] = ((task / "comm").read_text().strip(), int((task / "schedstat").read_text().split()[0]) / 1e9)
    return out


def _field(pid, file, name):
    found = re.search(rf"^{name}:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/{file}").read_text(), re.M)
    return int(found[1]) * 1024


def pss_bytes(pids):
    """Proportional set size: shared pages are split among those who share them."""
    return sum(_field(pid, "smaps_rollup", "Pss") for pid in pids)


def rss_bytes(pid):
    return _field(pid, "status", "VmRSS")


def forget_peak(pid):
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_bytes(pid):
    return _field(pid, "status", "VmHWM")


def descriptors_allowed():
    import resource
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]
