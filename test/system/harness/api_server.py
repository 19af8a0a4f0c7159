"""The API server of Kubernetes, as far as a client that lists and watches pods sees it."""
import copy
import http.server
import json
import ssl
import threading
import urllib.parse

PAGE = 2  # pods, so that a list has several pages


class ApiServer:
    """`say`: what a watch sends once instead of the next event, raw. `answer`: (status, type, body) for the next requests instead of the truth."""

    def __init__(self, authority, names=("localhost",)):
        self.token, self.version, self.pods, self.events = "first", 10, {}, []
        self.changed, self.answer, self.say, self.asked, self.oldest = threading.Condition(), None, None, [], 0
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                fake._serve(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = authority.server_context(*names).wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.stopped = False

    def stop(self):
        with self.changed:
            self.stopped = True
            self.changed.notify_all()
        self.server.shutdown()
        self.server.server_close()

    # ---- the cluster

    def put(self, pod, kind=None):
        with self.changed:
            self.version += 1
            pod = copy.deepcopy(pod)
            pod["metadata"]["resourceVersion"] = str(self.version)
            uid = pod["metadata"]["uid"]
            self.events.append((self.version, kind or ("MODIFIED" if uid in self.pods else "ADDED"), pod))
            if kind == "DELETED":
                self.pods.pop(uid, None)
            else:
                self.pods[uid] = pod
            self.changed.notify_all()

    def start(self, uid, address, account="trainer", **more):
        self.put({"metadata": {"uid": uid, "namespace": "training", "name": uid, **more}, "spec": {"serviceAccountName": account},
                  "status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}})

    def end(self, uid):
        self.put(self.pods[uid], "DELETED")

    def forget_events(self):
        with self.changed:
            self.events, self.oldest = [], self.version
            self.changed.notify_all()

    def speak(self, raw):
        with self.changed:
            self.say = raw
            self.changed.notify_all()

    # ---- answers

    def _serve(self, to):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(to.path).query))
        self.asked.append((to.path, to.headers.get("Authorization")))
        if self.answer:
            return self._whole(to, *self.answer)
        if to.headers.get("Authorization") != f"Bearer {self.token}":
            return self._whole(to, 401, "application/json", b"{}")
        if query.get("watch") == "true":
            return self._watch(to, int(query["resourceVersion"]))
        with self.changed:
            begin = int(query.get("continue", "0"))
            items = sorted(self.pods.items())
            page = [pod for _, pod in items[begin:begin + PAGE]]
            about = {"resourceVersion": str(self.version), **({"continue": str(begin + PAGE)} if begin + PAGE < len(items) else {})}
        return self._whole(to, 200, "application/json", json.dumps({"kind": "PodList", "metadata": about, "items": page}).encode())

    @staticmethod
    def _whole(to, status, kind, body):
        to.send_response(status)
        to.send_header("Content-Type", kind)
        to.send_header("Content-Length", str(len(body)))
        if 300 <= status < 400:
            to.send_header("Location", "https://localhost/")
        to.end_headers()
        to.wfile.write(body)

    def _watch(self, to, since):
        to.send_response(200)
        to.send_header("Content-Type", "application/json")
        to.send_header("Transfer-Encoding", "chunked")
        to.end_headers()

        def send(raw):
            to.wfile.write(f"{len(raw):x}\r\n".encode() + raw + b"\r\n")
            to.wfile.flush()

        while True:
            with self.changed:
                new = [e for e in self.events if e[0] > since]
                if not new and not self.say and since >= self.oldest and not self.stopped:
                    self.changed.wait(1)
                if self.stopped:
                    return
                said, self.say = self.say, None
                gone = since < self.oldest
                new = [e for e in self.events if e[0] > since]
                version = self.version
            if gone:
                return send(json.dumps({"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old"}}).encode() + b"\n")
            if said:
                send(said)
            for v, kind, pod in new:
                line = json.dumps({"type": kind, "object": pod}).encode() + b"\n"
                send(line[:20]), send(line[20:])  # no line comes in one piece
                since = v
            if not new and not said:
                send(json.dumps({"type": "BOOKMARK", "object": {"kind": "Pod", "metadata": {"resourceVersion": str(version)}}}).encode() + b"\n")
                since = version
