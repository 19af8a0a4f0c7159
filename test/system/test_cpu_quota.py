"""`workers = 0`: as many threads as there are cores that exeat may use, by its affinity mask and by the CPU quota of its control group."""
import contextlib
import os
import pathlib

import pytest
from harness.wait import wait_until

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "raw"
hosts = ["echo.quota.test"]
ports = [7]
protocol = "tcp"
"""
LISTENS = "0A"
ONE_AND_A_HALF = 150_000, 100_000  # microseconds of each period: two workers


def workers(exeat):
    """Each listens by itself, and has done so when exeat is ready."""
    sockets = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()]
    return sum(fields[1] == f"0100007F:{exeat.proxy_port:04X}" and fields[3] == LISTENS for fields in sockets)


def mounts():
    """Where control groups are mounted and with what."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        left, right = line.split(" - ")
        kind, _, options = right.split(" ", 2)
        if kind == "cgroup2" or (kind == "cgroup" and "cpu" in options.split(",")):
            yield pathlib.Path(left.split(" ")[4]), kind == "cgroup2"


def removed(group):
    try:
        group.rmdir()
    except OSError:  # a moment after its last process ended
        return False
    return True


@contextlib.contextmanager
def limited(quota, period):
    """A control group with this quota; its cgroup.procs."""
    for mount, v2 in mounts():
        made = mount / f"exeat-test-{os.getpid()}"
        try:
            made.mkdir()
        except OSError:
            continue
        try:
            try:
                if v2:
                    (made / "cpu.max").write_text(f"{quota} {period}")
                else:
                    (made / "cpu.cfs_period_us").write_text(str(period))
                    (made / "cpu.cfs_quota_us").write_text(str(quota))
            except OSError:
                continue
            yield made / "cgroup.procs"
            return
        finally:
            wait_until(lambda: removed(made), 10, "the control group is empty")
    pytest.skip("no control group can be made here that limits CPU time")


def inside(procs, *command):
    return ("sh", "-c", f'echo $$ > {procs} && exec "$@"', "sh", *command)


def test_one_core_of_the_mask_is_one_worker(lab):
    one = str(min(os.sched_getaffinity(0)))
    with lab.exeat(ALLOWLIST, limits={"workers": 0}, before=("taskset", "--cpu-list", one)) as exeat:
        assert workers(exeat) == 1


def test_a_quota_of_the_control_group_bounds_the_workers(lab):
    cores = len(os.sched_getaffinity(0))
    if cores < 2:
        pytest.skip("one core leaves nothing to bound")
    for quota, expected in (((50_000, 100_000), 1), (ONE_AND_A_HALF, 2), ((1_000_000, 100_000), min(10, cores))):
        with limited(*quota) as procs, lab.exeat(ALLOWLIST, limits={"workers": 0}, before=inside(procs)) as exeat:
            assert workers(exeat) == min(expected, cores), quota


def test_a_number_of_workers_that_is_written_is_taken_as_it_is(lab):
    with limited(50_000, 100_000) as procs, lab.exeat(ALLOWLIST, limits={"workers": 3}, before=inside(procs)) as exeat:
        assert workers(exeat) == 3
