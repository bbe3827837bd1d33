#!/usr/bin/env bash
# Runs the whole suite on Python 3.13 with the newest version of every dependency, and tries the
# wheel of dist/ there if `make dist` has built one.
# Without a python3.13 on this machine, Debian 13 is unpacked into local/debian13 (as root; about
# five minutes) and the suite runs inside.
set -euo pipefail
cd "$(dirname "$0")/.."
root="$PWD/local/debian13"

in_venv() {  # python3.13, folder of the virtual environment
  [ -x "$2/bin/python" ] || "$1" -m venv "$2"
  "$2/bin/python" -m pip install --quiet --upgrade --upgrade-strategy eager --editable '.[test]'
  "$2/bin/python" -m pip list | tail -n +3 | tr -s ' ' '=' | tr '\n' ' '
  "$2/bin/python" -m pytest -n auto --dist loadfile --no-loadscope-reorder
  ! compgen -G 'dist/*.whl' >/dev/null || scripts/test_dist.sh "$1"
}

if [ "${1:-}" = inside ]; then
  in_venv python3.13 local/newest-debian
elif python3.13 -c "" 2>/dev/null; then
  in_venv python3.13 local/newest
else
  if [ ! -e "$root/emopy" ]; then
    command -v debootstrap >/dev/null || { apt-get update -qq && apt-get install -qq debootstrap; }
    debootstrap --variant=minbase --include=ca-certificates,curl,git,python3,python3-venv,libgl1,graphviz trixie "$root"
    mkdir "$root/emopy"
  fi
  # The package indexes and certificates of this machine hold inside too.
  for file in /etc/pip.conf "$HOME/.config/pip/pip.conf" /etc/resolv.conf /etc/ssl/certs/ca-certificates.crt; do
    [ ! -e "$file" ] || { mkdir -p "$root$(dirname "$file")" && cp "$file" "$root$file"; }
  done
  trap 'for place in emopy dev/pts dev proc; do umount "$root/$place"; done' EXIT
  mount --bind /proc "$root/proc"
  mount --bind /dev "$root/dev"
  mount --bind /dev/pts "$root/dev/pts"
  mount --bind "$PWD" "$root/emopy"
  chroot "$root" /emopy/scripts/test_newest.sh inside
fi
