#!/usr/bin/env python3
"""rules.yaml for the Prometheus operator, of conf/prometheus/exeat.rules.yml, which is the one source: rules.py > rules.yaml"""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1] / "prometheus" / "exeat.rules.yml"
HEAD = """# Made by rules.py of conf/prometheus/exeat.rules.yml: change that, and run it again. What to do about each alert: conf/prometheus/README.md.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: exeat
  namespace: egress
  labels: { app.kubernetes.io/name: exeat }
spec:
"""


def text():
    source = SOURCE.read_text()
    groups = source[source.index("groups:\n"):].splitlines()
    return HEAD + "".join(f"  {line}\n" if line else "\n" for line in groups)


if __name__ == "__main__":
    sys.stdout.write(text())
