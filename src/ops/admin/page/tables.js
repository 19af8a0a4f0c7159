// What /api/status and /api/tunnels say, as tiles and tables.
const right = name => ({ name, as: "n" }), wide = name => ({ name, as: "wide" }), wide_right = name => ({ name, as: "n wide" }), name_of = name => ({ name, as: "name" });
const plain = name => ({ name });

function tile(title, value, note, as = "") {
  return element("div", { className: `tile ${as}` }, element("small", {}, title), element("b", { title: value }, value), element("small", { title: note }, note));
}

const near_its_end = 0.8; // a budget, as the alert has it
const worst = (share, warn, bad) => share >= bad ? "bad" : share >= warn ? "warn" : "";

function show_tiles(s, speed) {
  const lately = s.anomalies.recent.filter(a => Date.parse(s.now) - Date.parse(a.at) < 3600e3);
  const serious = lately.some(a => a.severity === "critical") ? "bad" : lately.some(a => a.severity === "warning") ? "warn" : "";
  const full = s.budgets[0], more = lately.length === s.anomalies.recent.length && s.anomalies.total > lately.length;
  renew(byId("tiles"), [
    tile("Upload", speed ? rate(speed.upload) : "…", `${octets(s.totals.upload_bytes)} since the start`),
    tile("Download", speed ? rate(speed.download) : "…", `${octets(s.totals.download_bytes)} since the start`),
    tile("Live tunnels", count(s.totals.tunnels_active), `${count(s.listeners.reduce((n, l) => n + l.connections_active, 0))} connections`),
    tile("Refused", speed ? `${count(speed.denied * 60)}/min` : "…", `${count(s.totals.requests_denied)} since the start`),
    tile("Findings, last hour", `${count(lately.length)}${more ? " or more" : ""}`, lately[0] ? `${lately[0].detector} ${clock(lately[0].at)}` : "none", serious),
    tile("Fullest budget", full ? `${Math.floor(full.share * 100)} %` : "unused", full ? `${called(full) ?? "all clients"} · ${full.entry ?? full.purpose} · ${full.window}` : "", full ? worst(full.share, near_its_end, 1) : "")]);
}

function show_policy(s) {
  const p = s.policy, item = (title, text, as) => element("span", {}, element("span", {}, title), element("span", { className: as ?? "", title: text }, text));
  if (p === null) return renew(byId("policy"), [item("Policy", "none: everything is refused", "bad")]);
  const left = p.expires === null ? null : (Date.parse(p.expires) - Date.parse(s.now)) / 1000;
  const expires = left === null ? "never" : left <= 0 ? `ended ${p.expires}: everything is refused` : `in ${time_span(left)} (${p.expires})`;
  renew(byId("policy"), [
    item("Policy", `serial ${p.serial}`),
    item("SHA-256", p.sha256),
    item("Mode", p.mode === "report" ? `report only, until ${p.report_until}` : "enforced", p.mode === "report" ? "warn" : ""),
    item("Signed by", p.approved_by.length ? p.approved_by.join(", ") : "nobody (no approvals asked for)"),
    item("Expires", expires, left === null ? "" : left <= 0 ? "bad" : left < 7 * 86400 ? "warn" : ""),
    item("Loaded", moment(p.loaded)),
    ...s.half_spent ? [item("Half of each budget counts as spent", `1h ${s.half_spent.until_1h ? `until ${moment(s.half_spent.until_1h)}` : "no longer"}, 24h ${s.half_spent.until_24h ? `until ${moment(s.half_spent.until_24h)}` : "no longer"}, 7d until ${moment(s.half_spent.until_7d)}: ${s.half_spent.why}`, "warn")] : [],
    item("Holds", `${count(p.entries)} entries, ${count(p.names)} names`),
    ...s.quarantines.slice(0, 8).map(q => item("Quarantined", `${q.client ?? (q.service_account ? `service account ${q.service_account}` : `entry ${q.entry}`)} until ${moment(q.until)}, by ${q.by}: ${q.reason}`, "warn")),
    ...s.quarantines.length > 8 ? [item("Quarantined", `${count(s.quarantines.length - 8)} more`, "warn")] : [],
    ...p.last_reload_ok ? [] : [item("Last reload failed", p.last_error, "bad")],
    s.audit.healthy ? item("Audit log", `whole, ${count(s.audit.written)} lines`) : item("Audit log fails", s.audit.error, "bad")]);
}

const severities = { critical: "bad", warning: "warn", info: "calm" };
const called = row => row.client_name ?? row.client;
// All pods of a service account have no tunnels by one name, so there is nothing to show alone.
const shared = row => row.workload?.startsWith("service account ") ? row.workload : null;

// A finding is a sentence; what else is known of it stands behind it, closed until somebody asks.
function finding(a, only) {
  const place = a.rule ? `${a.rule.file}:${a.rule.line}${a.rule.owner ? `, owner ${a.rule.owner}` : ""}${a.rule.ticket ? `, ticket ${a.rule.ticket}` : ""}` : "";
  const lines = a.log ? [element("p", {}, "Its lines in the log: ", element("code", {}, a.log))] : [];
  return element("li", {},
    element("p", {}, element("span", { className: `tag ${severities[a.severity]}` }, a.severity), " ", moment(a.at), " ", shared(a) ?? only(called(a), a.entry), a.workload && !shared(a) ? ` · ${a.workload}` : "", a.host ? ` · ${a.host}` : ""),
    element("p", {}, `${a.sentence}.`),
    element("p", { className: "quiet" }, `To do: ${a.what_to_do}.`),
    element("details", {}, element("summary", {}, `${a.detector} · ${a.entry ?? "every entry"} · ${a.action} · ${a.technique}`),
      element("p", {}, "Entry: ", a.entry === null ? "every" : only_entry(a.entry), place ? ` (${place})` : ""), element("p", {}, `Request: ${a.request}`), ...lines));
}

function show_findings(s, only) {
  const into = byId("findings").querySelector(".rows"), found = s.anomalies.recent;
  if (found.length === 0) return renew(into, [element("p", { className: "none" }, "None so far.")]);
  const list = into.querySelector("ul") ?? element("ul", { className: "findings" });
  if (!list.isConnected) into.replaceChildren(list);
  const open = new Set([...list.children].filter(l => l.querySelector("details")?.open).map(l => l.dataset.key));
  const held = list.contains(document.activeElement) ? [document.activeElement.closest("li").dataset.key, document.activeElement.textContent] : null;
  renew(list, found.map(a => {
    const made = finding(a, only);
    made.dataset.key = `${a.at} ${a.detector} ${a.client} ${a.entry} ${a.request}`;
    made.querySelector("details").open = open.has(made.dataset.key);
    return made;
  }));
  if (held !== null && !list.contains(document.activeElement))
    [...list.children].find(l => l.dataset.key === held[0])?.querySelectorAll("button, summary").forEach(b => b.textContent === held[1] && b.focus({ preventScroll: true }));
}

function show_budgets(s, only_client) {
  const bar = b => element("meter", { min: 0, max: 1, low: near_its_end, high: 0.999, optimum: 0, value: Math.min(b.share, 1), title: `${Math.floor(b.share * 100)} %` });
  fill_table(byId("budgets"),
    [plain("Client"), name_of("Entry"), wide("Purpose"), plain("Window"), wide("Used"), right("%"), wide_right("Of")],
    s.budgets.map(b => [b.client === null ? "all together" : shared(b) ?? only_client(called(b), b.entry), b.entry ?? "every", b.purpose, b.window, bar(b),
      { text: `${Math.floor(b.share * 100)} %`, as: worst(b.share, near_its_end, 1) }, `${octets(b.used_bytes)}${b.assumed_bytes ? ` + ${octets(b.assumed_bytes)} assumed` : ""} / ${octets(b.limit_bytes)}`]),
    "No budget is used.");
}

function show_clients(s, speeds, only_client) {
  fill_table(byId("clients"),
    [name_of("Client"), right("Upload"), right("now"), wide_right("Download"), wide_right("Refused"), wide_right("Tunnels"), right("Score"), wide("Last cut")],
    s.clients.map(c => [only_client(c.client), octets(c.upload_bytes), speeds.has(c.client) ? rate(speeds.get(c.client)) : "", octets(c.download_bytes), count(c.denied), count(c.tunnels_active),
      { text: count(c.anomaly_score), as: worst(c.anomaly_score, 20, 50) }, c.last_cut === null ? "" : moment(c.last_cut)]),
    "No client has moved a byte yet, or was refused.");
}

function show_entries(s, speeds) {
  fill_table(byId("entries"),
    [name_of("Entry"), wide("Purpose"), right("Upload"), right("now"), wide_right("Download")],
    s.entries.map(e => [only_entry(e.entry), e.purpose, octets(e.upload_bytes), speeds.has(e.entry) ? rate(speeds.get(e.entry)) : "", octets(e.download_bytes)]),
    "Nothing was relayed yet.");
}

function show_tunnels(t, speeds, only_client) {
  byId("counted").textContent = `${count(t.matching)} of ${count(t.total)}${t.complete ? "" : " (a worker did not answer)"}`;
  byId("place").textContent = t.pages > 1 ? `${t.page} of ${t.pages}` : "";
  byId("back").disabled = t.page <= 1;
  byId("on").disabled = t.page >= t.pages;
  fill_table(byId("tunnels"),
    [plain("Client"), name_of("Destination"), wide("Entry"), wide("Purpose"), right("Upload"), right("now"), wide_right("Download"), wide_right("Age"), wide("Mode"), wide("Address"), wide("Id")],
    t.tunnels.map(l => [only_client(called(l)), `${l.host}:${l.port}${l.ech ? " (ECH)" : ""}${l.throttled ? " (throttled)" : ""}`, l.entry, l.purpose, octets(l.upload_bytes),
      speeds.has(l.id) ? rate(speeds.get(l.id)) : "", octets(l.download_bytes), time_span(l.age_seconds), l.mode, l.address, l.id]),
    t.total === 0 ? "None is open." : "None matches.");
}
