"""An admin listener that says what a test wants said: the pages that `exeat top` reads, without an exeat behind them."""
import http.server
import json
import threading
import time
import urllib.parse

POLICY = {"sha256": "3c5f9a1b2c3d" + 52 * "0", "serial": 7, "mode": "enforce", "report_until": None, "expires": "2026-12-24T00:00:00Z", "entries": 12, "names": 34,
          "approved_by": ["0011223344556677", "8899aabbccddeeff"], "generation": 1, "loaded": "2026-11-24T03:30:00Z", "last_reload_ok": True, "last_error": ""}


def client(name, upload=0, download=0, denied=0, tunnels=0, score=0.0, last_cut=None):
    return {"client": name, "upload_bytes": upload, "download_bytes": download, "denied": denied, "tunnels_active": tunnels, "anomaly_score": score, "last_cut": last_cut}


def entry(name, purpose="api", upload=0, download=0):
    return {"entry": name, "purpose": purpose, "upload_bytes": upload, "download_bytes": download}


def budget(of, at, share, window="1h", limit=52_428_800):
    return {"client": of, "client_name": of, "entry": at, "purpose": "api", "window": window, "used_bytes": int(share * limit), "limit_bytes": limit, "share": share}


def finding(detector, severity, of, at="2026-11-25T03:29:00Z", action="observe", **more):
    return {"at": at, "detector": detector, "severity": severity, "action": action, "technique": "T1030", "client": of, "client_name": of, "entry": "judge-models", "value": 64000001.0,
            "threshold": 64000000.0, "score": 20.0, **more}


def tunnel(n, of="10.42.0.7", at="judge-models", upload=0, **more):
    return {"id": f"f2810000{n:08x}", "client": of, "client_port": 40000 + n, "group": "training", "entry": at, "purpose": "api", "mode": "connect", "host": "inference.test",
            "port": 443, "address": "192.0.2.7", "age_seconds": 12.3, "upload_bytes": upload, "download_bytes": 0, "ech": False, "throttled": False, **more}


def status(**changes):
    return {"version": "0.1.0", "revision": "70f0f57", "now": "2026-11-25T03:30:00Z", "uptime_seconds": 93600, "ready": True, "draining": False, "reasons": [], "warnings": [],
            "workers": 2, "policy": POLICY, "listeners": [],
            "totals": {"requests_allowed": 1, "requests_denied": 2, "upload_bytes": 3, "download_bytes": 4, "tunnels_active": 5},
            "audit": {"healthy": True, "error": "", "written": 1, "retried": 0, "dropped": 0},
            "denied": [], "clients": [], "clients_known": 0, "entries": [], "budgets": [], "quarantines": [], "anomalies": {"total": 0, "recent": []}, **changes}


def page_of(tunnels, query, now="2026-11-25T03:30:00Z"):
    """As exeat answers /api/tunnels."""
    asked = {k: v[0] for k, v in urllib.parse.parse_qs(query).items()}
    size, page = int(asked.get("size", 50)), int(asked.get("page", 1))
    matching = [t for t in tunnels if asked.get("client", t["client"]) == t["client"] and asked.get("entry", t["entry"]) == t["entry"]]
    orders = {"upload": lambda t: -t["upload_bytes"], "download": lambda t: -t["download_bytes"], "age": lambda t: -t["age_seconds"], "client": lambda t: t["client"],
              "entry": lambda t: t["entry"]}
    matching.sort(key=orders[asked.get("sort", "upload")])
    return {"now": now, "sort": asked.get("sort", "upload"), "page": page, "size": size, "pages": max(1, -(-min(len(matching), 1000) // size)), "total": len(tunnels),
            "matching": len(matching), "complete": True, "tunnels": matching[(page - 1) * size:page * size]}


class FakeAdmin:
    """`status` and `tunnels` are what is answered: values for JSON, bytes as they are, or a function that makes either. `asked` are the targets of all requests."""

    def __init__(self, status=None, tunnels=(), port=0):
        self.status, self.tunnels, self.asked = status or globals()["status"](), list(tunnels), []
        self.delay = 0  # seconds before an answer; it ends when the server does
        self._closing = threading.Event()
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                fake._answer(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a client that has gone

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def _answer(self, request):
        self.asked.append(request.path)
        self._closing.wait(self.delay)
        path, _, query = request.path.partition("?")
        said = {"/api/status": self.status, "/api/tunnels": self.tunnels}.get(path)
        said = said() if callable(said) else said
        if path == "/api/tunnels" and isinstance(said, list):
            said = page_of(said, query)
        code = 404 if said is None else 200
        body = said if isinstance(said, bytes) else json.dumps(said).encode() if code == 200 else b"no such page\n"
        request.send_response(code)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def close(self):
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def busy(since=None):
    """A function that gives a status in which counters rise by the second, as on a busy night."""
    began = since or time.monotonic()

    def now():
        s = time.monotonic() - began
        clients = [client(f"training/10.42.0.{n}", int(1e9 / n + s * 3e6 / n), int(5e9 / n + s * 40e6 / n), denied=n * 3, tunnels=17 - n, score=20.5 if n == 3 else 0.0,
                          last_cut="2026-11-25T03:28:00Z" if n == 3 else None) for n in range(1, 17)]
        entries = [entry(name, purpose, int(2e9 / n + s * 2e6 / n), int(9e9 / n + s * 3e6)) for n, (name, purpose) in enumerate(
            [("judge-models", "api"), ("python-packages", "pull"), ("weights", "pull"), ("tracking", "telemetry"), ("debian", "pull")], 1)]
        return status(now=time.strftime("2026-11-25T03:%M:%SZ", time.gmtime(1800 + s)), uptime_seconds=int(93600 + s),
                      totals={"requests_allowed": int(9e5 + 12 * s), "requests_denied": int(4e3 + 3 * s), "upload_bytes": int(3e9 + 12e6 * s), "download_bytes": int(4e10 + 2e8 * s),
                              "tunnels_active": 5000},
                      denied=[{"reason": "not_allowed", "total": int(1700 + 2 * s)}, {"reason": "sni_mismatch", "total": 41}, {"reason": "budget", "total": int(7 + s)}],
                      clients=clients, clients_known=123, entries=entries,
                      budgets=[budget("10.42.0.7", "judge-models", 1.0), budget("10.42.0.3", "judge-models", 0.93), budget(None, "weights", 0.85, "24h"),
                               budget("10.42.0.9", None, 0.4, "7d"), budget("10.42.0.2", "tracking", 0.02)],
                      anomalies={"total": 3, "recent": [finding("drip", "critical", "training/10.42.0.3", action="cut"), finding("denied_burst", "warning", "10.42.0.9",
                                 at="2026-11-25T02:10:00Z", entry=None, value=52.0, threshold=50.0), finding("beacon", "info", "training/10.42.0.5", at="2026-11-24T02:10:00Z")]})

    return now


def busy_tunnels(count=250):
    return [tunnel(n, f"10.42.0.{1 + n % 16}", ("judge-models", "weights", "tracking")[n % 3], upload=int(1e9 / (n + 1)), age_seconds=3.7 * n, throttled=n == 4) for n in range(count)]
