#!/usr/bin/env bash
# image-root.sh BINARY ROOT: the whole file system of the image: exeat, the libraries that it loads, and a user. No shell, no package manager.
set -euo pipefail
binary=$1 root=$2
install -D -m 755 "$binary" "$root/usr/bin/exeat"
ldd "$binary" | grep -o '/[^ ]*' | while read -r library; do
  install -D -m 755 "$(readlink -f "$library")" "$root$library"
done
mkdir -p "$root/etc/exeat/policy" "$root/var/lib/exeat"
echo 'exeat:x:64128:64128::/var/lib/exeat:/sbin/nologin' >"$root/etc/passwd"
echo 'exeat:x:64128:' >"$root/etc/group"
chown 64128:64128 "$root/var/lib/exeat"
