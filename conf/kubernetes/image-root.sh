#!/usr/bin/env bash
# image-root.sh BINARY ROOT: the whole file system of the image: exeat, the libraries that it loads, what `exeat top` knows of terminals, and a
# user. No shell, no package manager.
set -euo pipefail
binary=$1 root=$2
install -D -m 755 "$binary" "$root/usr/bin/exeat"
install -D -m 755 "$(dirname "$binary")/exeatd" "$root/usr/libexec/exeat/exeatd"
ldd "$binary" "$(dirname "$binary")/exeatd" | grep -o '/[^ :]* (' | sort -u | while read -r library _; do
  install -D -m 755 "$(readlink -f "$library")" "$root$library"
done
for terminal in x/xterm x/xterm-256color s/screen s/screen-256color t/tmux t/tmux-256color l/linux v/vt220; do
  install -D -m 644 "/lib/terminfo/$terminal" "$root/lib/terminfo/$terminal"
done
mkdir -p "$root/etc/exeat/policy" "$root/var/lib/exeat"
echo 'exeat:x:64128:64128::/var/lib/exeat:/sbin/nologin' >"$root/etc/passwd"
echo 'exeat:x:64128:' >"$root/etc/group"
chown 64128:64128 "$root/var/lib/exeat"
