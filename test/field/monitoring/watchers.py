"""The two daemons, on loopback, with what is shipped in conf/prometheus made quick, and somebody who is paged."""
import http.server
import json
import subprocess
import threading
import urllib.parse
import urllib.request

import yaml
from harness.exeat import REPOSITORY, free_port
from harness.wait import seconds, wait_until

CONF = REPOSITORY / "conf/prometheus"
NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Pager:
    """Where Alertmanager's webhooks end: notes every alert that it is told."""

    def __init__(self):
        told = self.told = []

        class Page(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                told.extend((self.path, a) for a in json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Watchers:
    def __init__(self, at, admin_port, every="1s"):
        self.at, self.pager = at, Pager()
        self.port, alertmanager = free_port(), free_port()
        routes = (CONF / "alertmanager.yml").read_text().replace("127.0.0.1:9095", f"127.0.0.1:{self.pager.port}").replace("group_wait: 10s", "group_wait: 0s")
        (at / "alertmanager.yml").write_text(routes)
        config = yaml.safe_load((CONF / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": every, "evaluation_interval": every}
        config["rule_files"] = [str(at / "exeat.rules.yml")]
        config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{alertmanager}"]
        config["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{admin_port}"]
        (at / "exeat.rules.yml").write_text((CONF / "exeat.rules.yml").read_text().replace("interval: 15s", f"interval: {every}"))
        (at / "prometheus.yml").write_text(yaml.safe_dump(config))
        self.processes = [
            self._run("prometheus", f"--config.file={at}/prometheus.yml", f"--storage.tsdb.path={at}/data", f"--web.listen-address=127.0.0.1:{self.port}"),
            self._run("prometheus-alertmanager", f"--config.file={at}/alertmanager.yml", f"--storage.path={at}/am", f"--web.listen-address=127.0.0.1:{alertmanager}",
                      "--cluster.listen-address=")]
        wait_until(lambda: self.query('up{job="exeat"} == 1'), 60, "prometheus scrapes exeat")

    def _run(self, *argv):
        log = open(self.at / f"{argv[0]}.log", "wb")
        return subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def ask(self, what, **parameters):
        with NO_PROXY.open(f"http://127.0.0.1:{self.port}/api/v1/{what}?" + urllib.parse.urlencode(parameters), timeout=seconds(30)) as reply:
            return json.load(reply)["data"]

    def query(self, expression):
        try:
            return self.ask("query", query=expression)["result"]
        except OSError:
            assert all(p.poll() is None for p in self.processes), "".join((self.at / f"{n}.log").read_text() for n in ("prometheus", "prometheus-alertmanager"))
            return []

    def stop(self):
        for p in self.processes:
            p.terminate()
        for p in self.processes:
            p.wait(seconds(60))
        self.pager.server.shutdown()
