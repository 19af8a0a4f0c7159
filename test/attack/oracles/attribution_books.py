"""Oracle 5's books: what the DNS server, the capture, the origins and the clients saw, held against the audit log and the counters. Each check yields what
does not add up, as text."""
import collections

from attributed_world import DOMAIN, PLAIN

EVASIONS = {"sni_mismatch", "sni_missing", "sni_changed", "ech", "not_tls", "tls_malformed"}
RESOLVED = {"dns_failure", "addr_class", "private_link_public", "private_link_cidr"}
DIALLED = {"connect_failure", "connect_timeout"}
EITHER = {"policy_revoked", "expired", "budget", "anomaly", "overload", "audit_unavailable"}  # before the look-up, or while it waited for any stage
DENIALS_TO_FIND = 4  # distinct targets: the random walk of denied_burst (detect/denials.hpp) needs as many
NAMES_TO_FIND = 5
OF_VOLUME = {"drip", "first_seen", "pull_upload", "upload_budget"}
OF_NAMES = {"fan_out", "name_channel"}


class Request:
    """All lines of one event.id."""

    def __init__(self):
        self.open = self.deny = self.close = None

    @property
    def line(self):
        return self.open or self.deny or self.close

    @property
    def host(self):
        return self.line.get("destination.domain")

    @property
    def key(self):
        return self.line["source.ip"], self.line["source.port"]

    @property
    def reason(self):
        return self.deny["event.reason"] if self.deny and not self.open else None

    @property
    def allowed(self):
        """That a decision has allowed it: it may have been looked up."""
        inside = self.line["exeat.mode"] == "connect" and self.reason in EVASIONS | {"hello_timeout"}
        return self.open is not None or inside or self.reason in RESOLVED | DIALLED | EITHER

    @property
    def connects(self):
        """(certainly, possibly)"""
        if self.open:
            return 1, 1
        certainly = self.allowed and self.reason not in RESOLVED | EITHER
        return int(certainly), int(certainly or self.reason in EITHER)


class Books:
    def __init__(self, world, clients, lines, connects, metrics, budget):
        self.budget = budget  # octets that each client may send to `spent`
        self.world, self.clients, self.lines, self.connects, self.metrics = world, clients, lines, connects, metrics
        self.operations = [op for c in clients for op in c.operations if op.port]
        self.by_key, self.by_tag = collections.defaultdict(list), {}
        for op in self.operations:
            self.by_key[op.key].append(op)
            self.by_tag.update(dict.fromkeys(op.tags, op))
        by_id = collections.defaultdict(Request)
        for line in lines:
            if line["event.action"] in ("open", "deny", "close"):
                setattr(by_id[line["event.id"]], line["event.action"], line)
        self.requests = list(by_id.values())

    def of(self, clients=None, lines=None, connects=None):
        """The same, and other clients, lines or connects."""
        return Books(self.world, clients or self.clients, lines or self.lines, connects or self.connects, self.metrics, self.budget)

    def wrong(self):
        """Check → what it found, of those that found something."""
        checks = (self.lines_have_clients, self.answers_have_lines, self.questions_have_lines, self.connects_have_lines, self.peers_have_clients,
                  self.bytes_agree, self.counters_agree, self.clients_counters_agree, self.findings_are_their_clients, self.budgets_are_their_clients)
        found = {check.__name__: list(check()) for check in checks}
        return {check: what for check, what in found.items() if what}

    # ---- the log and the clients ----

    def lines_have_clients(self):
        for r in self.requests:
            if not any(r.host in op.asked or r.host is None for op in self.by_key[r.key]):
                yield f"no operation of this client asked for it: {r.line}"
            if r.open and not r.close:
                yield f"opened and never closed: {r.line}"
            if r.line.get("destination.ip") not in (None, self.world.address_of(r.host or "")):
                yield f"another host's address: {r.line}"
            if r.open and "destination.ip" not in r.open:
                yield f"opened without an address: {r.line}"

    def answers_have_lines(self):
        """A yes is an open line, or the refusal of what came behind it; a no is its own line; and nobody has more lines than requests."""
        lines = collections.defaultdict(list)
        for r in self.requests:
            lines[r.key].append(r)
        for key, operations in self.by_key.items():
            logged = [r for r in lines[key] for _ in range(r.line.get("exeat.audit.stands_for", 1))]
            answers = [a for op in operations for a in op.answers]
            if not len(answers) <= len(logged) <= sum(op.attempts for op in operations):
                yield f"{len(answers)} answers, {len(logged)} lines: {[(op.kind, op.asked, op.answers, op.attempts) for op in operations]}"
            said = collections.Counter((h, why) for h, why in answers if why)
            if missing := said - collections.Counter((r.host, r.deny["event.reason"]) for r in logged if r.deny):
                yield f"refused without a line: {key} {dict(missing)}"
            yes = collections.Counter(h for h, why in answers if not why)
            if missing := yes - collections.Counter(r.host for r in logged if r.allowed):
                yield f"reached without a line: {key} {dict(missing)}, lines {[r.line for r in logged]}"

    # ---- the world ----

    def questions_have_lines(self):
        lines = collections.Counter(r.host for r in self.requests if r.allowed)
        for (name, kind), n in collections.Counter(q[:2] for q in self.world.questions() if q[2] == "udp").items():
            if not lines[name]:
                yield f"{name} {kind} was asked {n} times for nobody"

    def connects_have_lines(self):
        """One for one where each request makes its connection; plain HTTP may use one again, and its origins tell whose it was."""
        certainly, possibly = collections.Counter(), collections.Counter()
        for r in self.requests:
            if r.host and (address := self.world.address_of(r.host)):
                place = address, r.line["destination.port"]
                certainly[place] += r.connects[0]
                possibly[place] += r.connects[1]
        plain = {(self.world.address[p], 80) for p in PLAIN} | {(self.world.address["refuse"], 80)}
        for place in {*self.connects, *certainly}:
            least = 0 if place in plain else certainly[place]
            if not least <= self.connects[place] <= possibly[place]:
                yield f"{place}: {self.connects[place]} connects, lines for {certainly[place]} to {possibly[place]}"
        accepted = collections.Counter(place for place, _ in self.world.peers())
        for place, n in accepted.items():
            if n > self.connects[place]:
                yield f"{place}: {n} accepted, {self.connects[place]} seen on the link"

    def peers_have_clients(self):
        of_tunnels, empty = collections.Counter(), collections.Counter()
        for place, peer in self.world.peers():
            if place[1] != 80:
                of_tunnels.update(peer.tags)
                if not peer.tags and peer.received_bytes > 0:
                    empty[place] += 1
                continue
            if len({tag for tag, _, _ in peer.tags}) > 1:
                yield f"{place}: one upstream connection for several clients' connections: {peer.tags}"
            if any(self.world.address_of(host) != place[0] for _, _, host in peer.tags):
                yield f"{place}: another Host: {peer.tags}"
        yield from (f"{tag}: {n} connections" for tag, n in of_tunnels.items() if n > 1)
        yield from (f"{tag}: of no operation" for tag in of_tunnels if tag not in self.by_tag)
        yield from (f"{place}: {n} connections with bytes and no tag" for place, n in empty.items())

    # ---- bytes ----

    def bytes_agree(self):
        counted, at_origins = collections.defaultdict(lambda: [0, 0]), collections.defaultdict(lambda: [0, 0])
        for r in self.requests:
            if r.close:
                counted[r.key, r.host][0] += r.close["source.bytes"]
                counted[r.key, r.host][1] += r.close["destination.bytes"]
        for place, peer in self.world.peers():
            if peer.tags:
                tag, host = (peer.tags[0][0], peer.tags[0][2]) if place[1] == 80 else (peer.tags[0], None)
                op = self.by_tag[tag]
                at_origins[op.key, host or op.asked[0]][0] += peer.received_bytes
                at_origins[op.key, host or op.asked[0]][1] += peer.sent_bytes
        for key, host in {*counted, *at_origins}:
            operations = [op for op in self.by_key[key] if host in op.asked]
            yield from self._compare(key, host, operations, counted[key, host], at_origins[key, host])

    @staticmethod
    def _compare(key, host, operations, counted, origin):
        up, down = counted
        told = f"{key} {host}: log {counted}, origin {origin}, client {[(op.kind, op.sent, op.got, op.exact) for op in operations]}"
        if operations and all(op.exact for op in operations):
            if counted != origin:
                yield f"not to the byte: {told}"
            tunnels = not host.startswith(tuple(PLAIN))
            if tunnels and counted != [sum(op.sent for op in operations), sum(op.got for op in operations)]:
                yield f"not what the client sent and got: {told}"
        elif not (origin[0] <= up and down <= origin[1]):
            yield f"more than was sent: {told}"

    # ---- counters ----

    def counters_agree(self):
        m, weight = self.metrics, lambda line: line.get("exeat.audit.stands_for", 1)
        opens = collections.Counter(r.open["exeat.mode"] for r in self.requests if r.open)
        refusals, denials = collections.Counter(), collections.Counter()
        for r in self.requests:
            if r.deny:
                denials[r.deny["event.reason"]] += weight(r.deny)
                refusals[r.deny["exeat.mode"]] += weight(r.deny) if not r.open else 0
        for decision, counts in (("allowed", opens), ("denied", refusals)):
            for mode in m.label_values("exeat_requests_total", "mode"):
                if m.of("exeat_requests_total", mode=mode, decision=decision) != counts[mode]:
                    yield f"requests_total {mode} {decision}: {m.of('exeat_requests_total', mode=mode, decision=decision)}, lines {counts[mode]}"
        for reason in m.label_values("exeat_denied_total", "reason"):
            if m.of("exeat_denied_total", reason=reason) != denials[reason]:
                yield f"denied_total {reason}: {m.of('exeat_denied_total', reason=reason)}, lines {denials[reason]}"
        for field, direction in (("source.bytes", "upload"), ("destination.bytes", "download")):
            logged = collections.Counter()
            for r in self.requests:
                if r.close:
                    logged[r.close["rule.name"]] += r.close[field]
            for entry in m.label_values("exeat_bytes_total", "entry"):
                if m.of("exeat_bytes_total", entry=entry, direction=direction) != logged[entry]:
                    yield f"bytes_total {entry} {direction}: {m.of('exeat_bytes_total', entry=entry, direction=direction)}, lines {logged[entry]}"

    def clients_counters_agree(self):
        """The log was scraped for the first time when all was over: a series has all of its client."""
        denied, up, down = collections.Counter(), collections.Counter(), collections.Counter()
        for r in self.requests:
            client = f"{r.line['exeat.group']}/{r.line['source.ip']}"
            denied[client] += r.deny.get("exeat.audit.stands_for", 1) if r.deny else 0
            up[client] += r.close["source.bytes"] if r.close else 0
            down[client] += r.close["destination.bytes"] if r.close else 0
        m = self.metrics
        for name, logged, labels in (("client_denied_total", denied, {}), ("client_bytes_total", up, {"direction": "upload"}), ("client_bytes_total", down, {"direction": "download"})):
            named = m.label_values("exeat_" + name, "client")
            for client in named:
                expected = logged[client] if client != "_other" else sum(n for c, n in logged.items() if c not in named)
                if m.of("exeat_" + name, client=client, **labels) != expected:
                    yield f"{name} {client} {labels}: {m.of('exeat_' + name, client=client, **labels)}, lines {expected}"

    # ---- findings ----

    def findings_are_their_clients(self):
        """Held against what each client did by its own book, not against lines: these may be another's."""
        quiet = {c.source for c in self.clients if "tunnel" not in c.kinds}
        for line in self.lines:
            if line["event.action"] != "anomaly":
                continue
            name, client = line["exeat.detector.name"], line["source.ip"]
            if not self._did(name, client, line["exeat.detector.value"]) or (client in quiet and name not in OF_VOLUME):
                yield f"its client did not do that: {line}"

    def budgets_are_their_clients(self):
        host, pushed, spent = f"spent.{DOMAIN}", collections.Counter(), collections.Counter()
        for op in self.operations:
            pushed[op.client] += op.pushed if host in op.asked else 0
        for r in self.requests:
            client = r.line["source.ip"]
            spent[client] += r.close["source.bytes"] if r.close and r.host == host else 0
            cut = "budget" in (r.reason, (r.close or {}).get("event.reason"))
            if cut and (r.host != host or pushed[client] < self.budget):
                yield f"cut for a budget of which it sent {pushed[client]}: {r.line}"
        yield from (f"{client}: {n} of a budget of {self.budget}" for client, n in spent.items() if n > self.budget)

    def _did(self, detector, client, value):
        mine = [op for op in self.operations if op.client == client]
        if detector in OF_VOLUME:
            return sum(op.pushed for op in mine) >= 0.9 * value
        if detector == "name_mismatch":
            return any(op.misnamed for op in mine)
        if detector == "denied_burst":
            return sum(op.attempts for op in mine if not op.exact) >= DENIALS_TO_FIND
        if detector in OF_NAMES:
            return len({h for op in mine for h in op.asked if h.endswith(f".wild.{DOMAIN}")}) > NAMES_TO_FIND
        return any(not op.exact for op in mine)
