"""dashboard.py: writes exeat.json, the Grafana dashboard, from the panels below. Change them here; a test holds the two together and every
query against a live Prometheus."""
import json
import pathlib

C = 'cluster=~"$cluster"'
BYTES, RATE, PLAIN, SECONDS, DATE = "bytes", "Bps", "short", "s", "dateTimeFromNow"

# (row) title; then (title, kind, unit, [(query, legend)], what it tells)
PANELS = [
    "Who sends",
    ("Top uploaders", "timeseries", RATE, [(f'topk(10, sum by (client) (rate(exeat_client_bytes_total{{{C},direction="upload",client!="_past"}}[5m])))', "{{client}}")],
     "The clients that upload most, over all replicas."),
    ("Budget used", "bargauge", "percentunit",
     [(f"topk(10, sum by (client, entry, purpose, window) (exeat_client_upload_counted_bytes{{{C}}}) / on (entry, purpose, window) group_left () "
       f"max by (entry, purpose, window) (exeat_upload_budget_bytes{{{C}}}))", "{{client}} {{entry}} {{purpose}} {{window}}"),
      (f"topk(10, sum by (entry, window) (exeat_entry_upload_window_bytes{{{C}}}) / on (entry, window) max by (entry, window) (exeat_entry_upload_budget_bytes{{{C}}}))",
       "all clients {{entry}} {{window}}")],
     "Of the window's budget, to the byte. At 100 % the tunnels are cut."),
    ("Upload by entry", "timeseries", RATE, [(f'sum by (entry) (rate(exeat_bytes_total{{{C},direction="upload"}}[5m]))', "{{entry}}")], "Which entry leaks."),
    ("Direction", "timeseries", "percentunit",
     [(f'sum(rate(exeat_bytes_total{{{C},direction="upload"}}[15m])) / sum(rate(exeat_bytes_total{{{C}}}[15m]))', "upload")],
     "What part of all bytes goes out. Research reads: this is small, and steady."),
    ("How unusual is the cluster's upload", "timeseries", PLAIN, [(f"cluster:exeat_upload_bytes:z{{{C}}}", "{{cluster}}")],
     "In robust standard deviations from the last day's median; above 6 it is an alert."),
    ("Traffic that no client's series has", "stat", "percentunit",
     [(f'sum(rate(exeat_client_bytes_total{{{C},client="_other"}}[15m])) / clamp_min(sum(rate(exeat_client_bytes_total{{{C},client!="_past"}}[15m])), 1)', "")],
     "200 clients have series of their own; this is the share of all others."),
    "What was found",
    ("Anomalies", "timeseries", PLAIN, [(f"sum by (detector) (increase(exeat_anomalies_total{{{C}}}[10m]))", "{{detector}}")], "Findings of each detector within ten minutes."),
    ("Actions", "timeseries", PLAIN, [(f"sum by (action) (increase(exeat_budget_exceeded_total{{{C}}}[10m]))", "budget: {{action}}"),
                                      (f'sum(increase(exeat_anomalies_total{{{C},action="cut"}}[10m]))', "detector: cut")], "What exeat did by itself."),
    ("Clients by score", "bargauge", PLAIN, [(f"topk(10, sum by (client) (exeat_client_anomaly_score{{{C}}}))", "{{client}}")], "Whom to look at first; it halves each hour."),
    "What is refused",
    ("Denials by reason", "timeseries", "reqps", [(f"sum by (reason) (rate(exeat_denied_total{{{C}}}[5m])) > 0", "{{reason}}")], ""),
    ("Probers", "bargauge", PLAIN, [(f'topk(10, sum by (client) (increase(exeat_client_denied_total{{{C},client!="_past"}}[1h])))', "{{client}}")], "Refused most within the hour."),
    ("Refused for their pace", "timeseries", "reqps", [(f"sum by (limit) (rate(exeat_client_rate_limited_total{{{C}}}[5m]))", "{{limit}}")],
     "By the limit of a client that was used up. No honest pod comes near one."),
    ("Requests", "timeseries", "reqps", [(f"sum by (decision) (rate(exeat_requests_total{{{C}}}[5m]))", "{{decision}}")], ""),
    "Load",
    ("Tunnels", "timeseries", PLAIN, [(f"sum by (purpose) (exeat_tunnels_active{{{C}}})", "{{purpose}}")], "Open now."),
    ("Tunnel duration, p99", "timeseries", SECONDS, [(f"histogram_quantile(0.99, sum by (le) (rate(exeat_tunnel_duration_seconds_bucket{{{C}}}[15m])))", "p99")], ""),
    ("Set-up, p99", "timeseries", SECONDS, [(f"histogram_quantile(0.99, sum by (le) (rate(exeat_setup_duration_seconds_bucket{{{C}}}[5m])))", "all"),
                                            (f"histogram_quantile(0.99, sum by (le) (rate(exeat_upstream_connect_duration_seconds_bucket{{{C}}}[5m])))", "the destination's share")],
     "From accept to relaying."),
    ("DNS", "timeseries", "reqps", [(f"sum by (result) (rate(exeat_resolver_queries_total{{{C}}}[5m]))", "{{result}}")], "Queries to the resolver, by how they ended."),
    "Can you trust this page",
    ("Allowlists in force", "table", PLAIN, [(f"count by (sha256, serial, mode) (exeat_policy_info{{{C}}})", "")], "More than one line is drift."),
    ("Age of the last good load", "stat", SECONDS, [(f"time() - max by (instance) (exeat_policy_last_reload_success_timestamp_seconds{{{C}}})", "{{instance}}")], ""),
    ("Blind spots", "stat", PLAIN, [(f"sum(increase(exeat_audit_events_dropped_total{{{C}}}[1h]))", "audit events lost"),
                                    (f"sum(increase(exeat_detector_evictions_total{{{C}}}[1h]))", "forgotten by detectors"),
                                    ('count(up{job="exeat"} == 0) or vector(0)', "replicas not scraped")], "All of these should be 0."),
]


def target(query, legend, n, kind):
    return {"datasource": {"type": "prometheus", "uid": "$datasource"}, "expr": query, "legendFormat": legend or "__auto", "refId": chr(65 + n),
            **({"instant": True, "format": "table"} if kind == "table" else {"instant": True} if kind in ("stat", "bargauge") else {})}


def panel(number, spot, title, kind, unit, queries, tells):
    return {"id": number, "type": kind, "title": title, "description": tells, "gridPos": spot, "datasource": {"type": "prometheus", "uid": "$datasource"},
            "fieldConfig": {"defaults": {"unit": unit, "min": 0} if title != "How unusual is the cluster's upload" else {"unit": unit}, "overrides": []},
            "options": {"legend": {"displayMode": "table", "placement": "right", "calcs": ["lastNotNull", "max"]}} if kind == "timeseries" else {},
            "targets": [target(q, legend, n, kind) for n, (q, legend) in enumerate(queries)]}


def panels():
    x = y = number = 0
    for each in PANELS:
        number += 1
        if isinstance(each, str):
            y += 8 if x else 0
            yield {"id": number, "type": "row", "title": each, "collapsed": False, "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}, "panels": []}
            x, y = 0, y + 1
            continue
        yield panel(number, {"x": x, "y": y, "w": 8, "h": 8}, *each)
        x += 8
        if x == 24:
            x, y = 0, y + 8


def variable(name, kind, query, **more):
    return {"name": name, "type": kind, "query": query, "refresh": 1, **more}


def dashboard():
    return {"title": "exeat", "uid": "exeat", "tags": ["egress", "security"], "timezone": "utc", "schemaVersion": 38, "refresh": "15s",
            "time": {"from": "now-6h", "to": "now"},
            "templating": {"list": [variable("datasource", "datasource", "prometheus"),
                                    variable("cluster", "query", "label_values(exeat_build_info, cluster)", datasource={"type": "prometheus", "uid": "$datasource"},
                                             includeAll=True, multi=True, allValue=".*", current={"text": "All", "value": "$__all"})]},
            "panels": list(panels())}


def text():
    return json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    pathlib.Path(__file__).with_name("exeat.json").write_text(text())
