#!/usr/bin/env bash
# tproxy-routes.sh [MARK [TABLE]]: what tproxy.nft marks is delivered to this machine, whatever address it bears. Once after each boot.
set -euo pipefail
mark=${1:-0xe0ea} table=${2:-3128}
for family in -4 -6; do
  ip "$family" rule del fwmark "$mark" lookup "$table" 2>/dev/null || true
  ip "$family" rule add fwmark "$mark" lookup "$table"
  ip "$family" route replace local default dev lo table "$table"
done
