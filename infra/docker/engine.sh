#!/usr/bin/env bash
# A container engine for a Debian 12 machine that has none, such as CI: Debian's own packages, a daemon without
# systemd, and stand-ins for the hub's images. A laptop needs none of this: there, Docker or Podman is started
# as always.
#   bash infra/docker/engine.sh start FOLDER    root only; prints the DOCKER_HOST to use
#   bash infra/docker/engine.sh stop FOLDER
set -euo pipefail
action=${1:?start or stop} folder=$(realpath -m "${2:?a folder for its data}")
root=$(cd "$(dirname "$0")/../.." && pwd)
socket=unix://$folder/docker.sock

packages() {
  # Debian 12's engine is too old for compose's --wait: the next release's, from a source that is never preferred.
  local from=/etc/apt/sources.list.d/debian.sources
  {
    echo "Types: deb"
    grep -m1 '^URIs:' $from
    echo "Suites: trixie"
    echo "Components: main"
    grep -m1 '^Signed-By:' $from
  } >/etc/apt/sources.list.d/containers.sources
  printf 'Package: *\nPin: release n=trixie\nPin-Priority: 100\n' >/etc/apt/preferences.d/containers
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends runc iptables \
    docker.io/trixie docker-cli/trixie containerd/trixie docker-buildx/trixie docker-compose/trixie >/dev/null
}

base() {
  # Debian and its Python, with this machine's certificates. No image that is made here can have the digest that
  # the Dockerfile pins: the label says that builds may take this one instead.
  local certificates=/etc/ssl/certs/ca-certificates.crt
  command -v mmdebstrap >/dev/null || {
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mmdebstrap >/dev/null
  }
  mmdebstrap --quiet --variant=minbase --include=python3,python3-pip,python3-venv,ca-certificates \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*' \
    --customize-hook='ln -s /usr/bin/python3 "$1"/usr/local/bin/python' \
    --customize-hook='rm -f "$1"/usr/lib/python3.11/EXTERNALLY-MANAGED' \
    --customize-hook="copy-in $certificates /etc/ssl/certs" \
    bookworm "$folder/base.tar" "$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources | head -1)"
  docker import --change "ENV PIP_CERT=$certificates SSL_CERT_FILE=$certificates" \
    --change 'LABEL stand-in=true' --change 'CMD ["python3"]' "$folder/base.tar" python:3.11-slim >/dev/null
  rm "$folder/base.tar"
}

start() {
  mkdir -p "$folder"
  command -v dockerd >/dev/null || packages
  # Its own session: a Ctrl-C at the tests is not meant for the daemon.
  setsid dockerd --host "$socket" --data-root "$folder/data" --exec-root "$folder/exec" \
    --pidfile "$folder/dockerd.pid" >"$folder/dockerd.log" 2>&1 &
  export DOCKER_HOST=$socket
  for _ in $(seq 300); do
    docker info >/dev/null 2>&1 && break
    kill -0 $! || { tail -5 "$folder/dockerd.log"; return 1; }
    sleep 0.2
  done
  docker image inspect python:3.11-slim >/dev/null 2>&1 || base
  for image in postgres:15 redis:7 registry:2; do
    # Into a file: the older builder says at each build that it is the older one.
    DOCKER_BUILDKIT=0 docker build --tag $image --target "${image%%:*}" \
      --file "$root/infra/docker/stand-ins/Dockerfile" "$root" >"$folder/build.log" 2>&1 ||
      { echo "The stand-in for $image was not built:"; tail -20 "$folder/build.log"; return 1; }
  done
}

stop() {
  local pid
  pid=$(cat "$folder/dockerd.pid" 2>/dev/null) || return 0
  # A daemon that was killed leaves its number behind, and another process may have it by now.
  if { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF -- "--pidfile $folder/dockerd.pid "; then
    kill "$pid" || true
    while kill -0 "$pid" 2>/dev/null; do sleep 0.2; done
  fi
  rm -rf "$folder" || true
}

if [ "$action" = start ]; then
  start >&2
  echo "$socket"
else
  stop
fi
