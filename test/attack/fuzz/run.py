#!/usr/bin/env python3
"""The fuzzers of build/fuzz. `run.py SECONDS [FUZZER…]`: each for so long, two at once; findings and corpora stay in build/fuzz. `run.py`:
the short pass that is a test, of a fixed number of executions from the seeds. A table; exit 1 on any finding."""
import collections
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

import make_seeds

TOP = pathlib.Path(__file__).resolve().parents[3]
BUILD = TOP / "build/fuzz"
HERE = TOP / "test/attack/fuzz"
AT_ONCE = 2
SAY_WHERE = {"ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}

Fuzzer = collections.namedtuple("Fuzzer", "words most_bytes executions")  # executions: of the short pass, about three seconds
FUZZERS = {
    "admin_answer": Fuzzer("json", 8192, 1_500), "allowlist": Fuzzer("toml", 4096, 6_000), "chunked_body": Fuzzer("http", 4096, 60_000), "client_hello": Fuzzer("tls", 8192, 60_000),
    "config": Fuzzer("toml", 4096, 10_000), "detector_snapshot": Fuzzer("state", 4096, 40_000), "dns_answer": Fuzzer("dns", 2048, 10_000),
    "hello_beside_openssl": Fuzzer("tls", 4096, 40_000), "hello_retry": Fuzzer("tls", 4096, 30_000),
    "hostname": Fuzzer("name", 512, 100_000), "hosts_file": Fuzzer("name", 8192, 8_000), "import": Fuzzer("yaml", 4096, 2_000), "manifest": Fuzzer("statement", 4096, 40_000), "name_snapshot": Fuzzer("state", 4096, 2_000), "pods": Fuzzer("json", 4096, 20_000),
    "request_head": Fuzzer("http", 4096, 40_000),
    "proxy_header": Fuzzer("proxy", 4096, 100_000), "response_head": Fuzzer("http", 4096, 50_000), "verify_audit": Fuzzer("audit", 4096, 1_500),
}
Outcome = collections.namedtuple("Outcome", "fuzzer executions edges features corpus findings failed log")


def command(name, bound, findings):
    fuzzer = FUZZERS[name]
    return [str(BUILD / f"test/attack/fuzz/fuzz_{name}"), f"-dict={HERE}/words/{fuzzer.words}.dict", f"-max_len={fuzzer.most_bytes}", "-timeout=20",
            "-rss_limit_mb=3000", "-print_final_stats=1", f"-artifact_prefix={findings}/", bound]


def last(pattern, text):
    found = re.findall(pattern, text)
    return found[-1] if found else "0"


def fuzz(name, seconds):
    short = seconds is None
    corpus, findings = (BUILD / ("short" if short else "corpus") / name), BUILD / "findings" / name
    if short:
        shutil.rmtree(corpus, ignore_errors=True)
    findings.mkdir(parents=True, exist_ok=True)
    make_seeds.write(name, corpus)
    known = [str(p) for p in [HERE / "found" / name] if p.is_dir()]  # what fuzzers have found before
    bound = [f"-runs={FUZZERS[name].executions}", "-seed=1"] if short else [f"-max_total_time={seconds}"]
    before = set(findings.iterdir())
    ran = subprocess.run([*command(name, bound[0], findings), *bound[1:], str(corpus), *known], cwd=BUILD, env={**os.environ, **SAY_WHERE},
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, errors="replace", text=True)
    log = BUILD / "log" / f"{name}.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text(ran.stdout)
    new = set(findings.iterdir()) - before
    return Outcome(name, int(last(r"stat::number_of_executed_units:\s+(\d+)", ran.stdout) or last(r"#(\d+)", ran.stdout)),
                   last(r"cov: (\d+)", ran.stdout), last(r"ft: (\d+)", ran.stdout), last(r"corp: (\d+)", ran.stdout), len(new),
                   ran.returncode != 0, log)


def main(argv):
    seconds = int(argv[0]) if argv else None
    names = argv[1:] or list(FUZZERS)
    if unknown := set(names) - set(FUZZERS):
        sys.exit(f"there is no fuzzer {', '.join(sorted(unknown))}: {', '.join(FUZZERS)}")
    print(f"{'fuzzer':20} {'executions':>11} {'edges':>7} {'features':>9} {'corpus':>7} {'findings':>9}")
    failed = []
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE if seconds else 1) as pool:
        for o in pool.map(lambda name: fuzz(name, seconds), names):
            print(f"{o.fuzzer:20} {o.executions:11} {o.edges:>7} {o.features:>9} {o.corpus:>7} {o.findings:9}{'  FAILED' if o.failed else ''}", flush=True)
            if o.failed:
                failed.append(o)
    for o in failed:
        print(f"\n---- {o.fuzzer}: the end of {o.log.relative_to(TOP)}; findings in build/fuzz/findings/{o.fuzzer}")
        print("\n".join(o.log.read_text().splitlines()[-40:]))
    print(f"{len(names) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
