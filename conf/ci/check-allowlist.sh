#!/usr/bin/env bash
# check-allowlist.sh [--base REV] [--audit LOG]… [--approvals-of EXEAT.TOML] [--report FILE] [--no-opening] ALLOWLIST…
# What CI does with a change of allowlists that lie in git:
#   1. exeat check: every error, on GitHub as an annotation beside its line. Warnings are told and do not fail.
#   2. exeat diff against the same file at REV (default: origin/main): what the change opens and closes, in Markdown.
#   3. exeat replay of each audit log: what the last day's traffic would have got instead.
#   4. exeat verify, where --approvals-of names an exeat.toml with trusted_keys: whether ALLOWLIST.manifest is of these very files and has
#      the signatures that it needs. For what is rolled out; a change is proposed before anybody has signed it.
# The report goes to FILE, to GITHUB_STEP_SUMMARY where that is set, or to the standard output.
# Exit 1 when a list has an error or cannot be compared; with --no-opening also when the change opens anything. 2: wrong usage.
# EXEAT names the binary (default: exeat), SINCE how far back a log is replayed (default: 24h).
set -euo pipefail

exeat=${EXEAT:-exeat} since=${SINCE:-24h}
base=origin/main report=${GITHUB_STEP_SUMMARY:-/dev/stdout} may_open=yes approvals=
audits=() lists=()

usage() {
  sed -n '2,/^set /{/^#/s/^# \?//p}' "$0" >&2
  exit 2
}

while [ $# -gt 0 ]; do
  case $1 in
    --base | --audit | --report | --approvals-of) [ $# -gt 1 ] || usage ;;&
    --base) base=$2; shift ;;
    --audit) audits+=(--audit "$2"); shift ;;
    --approvals-of) approvals=$2; shift ;;
    --report) report=$2; shift ;;
    --no-opening) may_open=no ;;
    -*) usage ;;
    *) lists+=("$1") ;;
  esac
  shift
done
[ ${#lists[@]} -gt 0 ] || usage

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
format=text
[ -z "${GITHUB_ACTIONS:-}" ] || format=github

say() { printf '%s\n' "$*" >>"$report"; }

# The list as it was, with the hosts files beside it; one that was not there denied everything.
list_at_base() { # LIST
  local directory
  directory=$(dirname "$1")
  mkdir -p "$scratch/base"
  git archive "$base" -- "$directory" 2>/dev/null | tar -x -C "$scratch/base" 2>/dev/null || true
  [ -f "$scratch/base/$1" ] || { mkdir -p "$scratch/base/$directory" && echo "serial = 0" >"$scratch/base/$1"; }
  echo "$scratch/base/$1"
}

compare() { # LIST
  local status=0
  "$exeat" diff --format markdown "$(list_at_base "$1")" "$1" >"$scratch/diff" 2>"$scratch/problems" || status=$?
  case $status in
    0 | 1) say "" "$(<"$scratch/diff")" ;;
    *) say "It cannot be compared with $base:" '```' "$(<"$scratch/problems")" '```'; return 1 ;;
  esac
  [ $status = 0 ] || [ $may_open = yes ] || { say "" "This change opens something, and this branch may not."; return 1; }
}

replay() { # LIST
  local status=0
  "$exeat" replay "${audits[@]}" --since "$since" "$1" >"$scratch/replay" 2>&1 || status=$?
  say "" "The last $since of traffic, decided by this list:" '```' "$(<"$scratch/replay")" '```'
  [ $status -le 1 ] # 1: some of it would be decided otherwise, which is for people to judge
}

verify() { # LIST
  local status=0
  "$exeat" verify --config "$approvals" "$1" >"$scratch/verify" 2>&1 || status=$?
  say "" "Its approvals:" '```' "$(<"$scratch/verify")" '```'
  return $status
}

git rev-parse --verify --quiet "$base^{commit}" >/dev/null || { echo "check-allowlist.sh: there is no revision $base here; fetch it (fetch-depth: 0)" >&2; exit 2; }
failed=0
for list in "${lists[@]}"; do
  say "### $list"
  if ! "$exeat" check --format $format "$list"; then
    say "It has errors, and would not load."
    failed=1
    continue
  fi
  compare "$list" || failed=1
  [ -z "$approvals" ] || verify "$list" || failed=1
  [ ${#audits[@]} = 0 ] || replay "$list" || failed=1
done
exit $failed
