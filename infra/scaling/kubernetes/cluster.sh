#!/usr/bin/env bash
# A Kubernetes of one machine, for CI: on a Debian machine nothing of it but kubectl is packaged, and the images of
# kind and minikube are on a hub. Debian 12's *source* of it is whole, though: version 1.20 of 2021, which is built
# here once. A laptop needs none of this: there, Docker Desktop, kind, minikube or k3d have a cluster.
#   bash infra/scaling/kubernetes/cluster.sh build FOLDER   compile it, about six minutes of one core; kept in a cache
#   bash infra/scaling/kubernetes/cluster.sh start FOLDER   root and an engine (DOCKER_HOST); prints the KUBECONFIG to use
#   bash infra/scaling/kubernetes/cluster.sh stop FOLDER
#   bash infra/scaling/kubernetes/cluster.sh able FOLDER    fails, with a sentence, where `start` would
# All of it listens on loopback. Where it cannot run, one sentence says why.
set -euo pipefail
action=${1:?build, start, stop or able} folder=$(realpath -m "${2:?a folder for its data}")
here=$(cd "$(dirname "$0")" && pwd)
# What the build's own lines and main.go come to is compiled once.
version=$({ sed -n '/^# -- build/,/^# -- start/p' "$here/cluster.sh"; cat "$here/main.go"; } | sha256sum | cut -c1-16)
cache=${FSDL_CLUSTER:-${XDG_CACHE_HOME:-$HOME/.cache}/fsdl-kubernetes}/$version
program=$cache/kubernetes etcd=$cache/etcd kubectl=$cache/kubectl
export PATH=$PATH:/usr/sbin:/sbin

refuse() { echo "No cluster can be made here: $*" >&2; exit 1; }

suitable() {
  # shellcheck disable=SC1091
  [ "$( . /etc/os-release 2>/dev/null && echo "${ID:-}")" = debian ] || refuse "its source is Debian's, and this is another system"
  [ "$(id -u)" -eq 0 ] || refuse "a node of Kubernetes needs root"
  [ -d /sys/fs/cgroup/cpu ] || refuse "Kubernetes 1.20 wants version 1 of control groups, and this machine has version 2"
}

# -- build: the source, a compiler and etcd out of Debian's archive, unpacked and never installed

archive() {  # apt-get with lists and a cache of its own: nothing of this machine's apt changes
  apt-get -qq -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
    -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root "$@"
}

fetch() {
  local place key
  place=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources | head -1)
  key=$(sed -n 's/^Signed-By: *//p' /etc/apt/sources.list.d/debian.sources | head -1)
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
  printf "%s [signed-by=$key] $place %s main\n" deb bookworm deb-src bookworm deb trixie >"$work/sources.list"
  archive update
  cd "$work"
  archive source --download-only kubernetes/bookworm
  archive download golang-1.19-go/bookworm golang-1.19-src/bookworm etcd-server/bookworm kubectl/trixie
  for package in *.deb; do dpkg -x "$package" tools; done
  mkdir -p "$source"
  tar -xf kubernetes_*.orig.tar.* -C "$source" --strip-components=1
}

change() {
  # A pause container that the kernel should spare needs a right that root in a virtual machine may lack.
  sed -i 's/defaultSandboxOOMAdj int = -998/defaultSandboxOOMAdj int = 0/' "$source/pkg/kubelet/dockershim/docker_sandbox.go"
  grep -q 'defaultSandboxOOMAdj int = 0' "$source/pkg/kubelet/dockershim/docker_sandbox.go"
  # The version stands in no file of a source package: git would have filled it in.
  grep -rl 'v0.0.0-master' "$source"/staging/src/k8s.io/{component-base/version,client-go/pkg/version} |
    xargs sed -i 's/"v0.0.0-master[^"]*"/"v1.20.2"/; s/\(gitMajor *string = \)""/\1"1"/; s/\(gitMinor *string = \)""/\1"20"/'
  mkdir "$source/cmd/all" && cp "$here/main.go" "$source/cmd/all/"
}

compile() {
  export GOROOT=$work/tools/usr/lib/go-1.19 GOPATH=$work/gopath GOCACHE=$work/gocache
  export GO111MODULE=off GOFLAGS='' GOTOOLCHAIN=local CGO_ENABLED=0 PATH=$work/tools/usr/lib/go-1.19/bin:$PATH
  cd "$source"
  # The description of the API is generated from comments; Debian's archive of the source is without it.
  local kinds='+k8s:openapi-gen=' where=pkg/generated/openapi parts
  parts=$(grep -rl --include='*.go' "$kinds" pkg vendor/k8s.io/*/ 2>/dev/null | xargs -n1 dirname |
    grep -v 'vendor/k8s.io/\(kube-openapi\|code-generator\|sample\)' | LC_ALL=C sort -u | sed 's#^#k8s.io/kubernetes/#' | paste -sd,)
  go build -o "$work/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
  "$work/openapi-gen" --logtostderr -i "$parts" -p "k8s.io/kubernetes/$where" -O zz_generated.openapi \
    -h vendor/k8s.io/code-generator/hack/boilerplate.go.txt -r "$work/violations" 2>"$work/openapi.log"
  go build -tags providerless -ldflags '-s -w' -o "$work/kubernetes" ./cmd/all
}

build() {
  suitable
  [ ! -x "$program" ] || return 0
  work=$folder/build source=$folder/build/gopath/src/k8s.io/kubernetes
  rm -rf "$work" && mkdir -p "$work" "$cache"
  trap 'cd / && rm -rf "$work"' EXIT
  command -v gcc >/dev/null || refuse "there is no gcc, which compiles the smallest part"
  fetch
  change
  compile
  gcc -Os -static -o "$cache/pause" "$source/build/pause/linux/pause.c"
  cp "$work/tools/usr/bin/etcd" "$work/tools/usr/bin/kubectl" "$cache/"
  mv "$work/kubernetes" "$program" # last: with it, the cache is complete
}

# -- start

run() {  # NAME COMMAND...: in a session of its own, so that a Ctrl-C at the tests is not meant for it
  setsid "${@:2}" >"$folder/$1.log" 2>&1 </dev/null &
  echo $! >"$folder/$1.pid"
}

answers() {  # SECONDS WHAT COMMAND...: waits until the command succeeds
  local seconds=$1 what=$2 log
  for _ in $(seq $((5 * seconds))); do
    "${@:3}" >/dev/null 2>&1 && return
    sleep 0.2
  done
  for log in "$folder"/*.log; do echo "== $log"; tail -5 "$log"; done >&2
  refuse "after $seconds seconds $what"
}

keys() {
  umask 077
  token=$(openssl rand -hex 16)
  printf '%s,course,1,"system:masters"\n' "$token" >tokens.csv
  openssl genrsa -out accounts.key 2048 2>/dev/null
  # The API server forwards questions about metrics, and shows this certificate.
  openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 30 -subj /CN=front-ca 2>/dev/null
  openssl req -newkey rsa:2048 -nodes -keyout front.key -out front.csr -subj /CN=front 2>/dev/null
  openssl x509 -req -in front.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out front.crt -days 30 2>/dev/null
}

free_ports() {
  python3 - "$1" <<'P'
import socket, sys
taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(server.getsockname()[1] for server in taken))
P
}

control_plane() {
  local client=http://127.0.0.1:$1 peer=http://127.0.0.1:$2 api=$3 controllers=$4 scheduler=$5
  run etcd "$etcd" --data-dir etcd --listen-client-urls "$client" --advertise-client-urls "$client" \
    --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "default=$peer"
  run apiserver "$program" kube-apiserver --etcd-servers="$client" --cert-dir=certificates --token-auth-file=tokens.csv \
    --bind-address=127.0.0.1 --secure-port="$api" --advertise-address="$address" \
    --service-cluster-ip-range=10.96.0.0/24 --authorization-mode=RBAC --allow-privileged=false \
    --service-account-issuer=https://kubernetes.default.svc --service-account-signing-key-file=accounts.key \
    --service-account-key-file=accounts.key --proxy-client-cert-file=front.crt --proxy-client-key-file=front.key \
    --kubelet-client-certificate=front.crt --kubelet-client-key=front.key \
    --requestheader-client-ca-file=ca.crt --requestheader-allowed-names=front \
    --requestheader-extra-headers-prefix=X-Remote-Extra- --requestheader-group-headers=X-Remote-Group \
    --requestheader-username-headers=X-Remote-User
  cat >kubeconfig <<Y
apiVersion: v1
kind: Config
current-context: fsdl-course
contexts: [{name: fsdl-course, context: {cluster: here, user: course}}]
users: [{name: course, user: {token: $token}}]
clusters: [{name: here, cluster: {server: "https://127.0.0.1:$api", certificate-authority: $folder/certificates/apiserver.crt}}]
Y
  export KUBECONFIG=$folder/kubeconfig
  answers 120 "the API server does not answer" "$kubectl" get --raw /readyz
  # A quick autoscaler: CI has no five minutes to see it scale down.
  run controllers "$program" kube-controller-manager --kubeconfig=kubeconfig --leader-elect=false --port=0 \
    --bind-address=127.0.0.1 --secure-port="$controllers" --service-account-private-key-file=accounts.key \
    --horizontal-pod-autoscaler-sync-period=5s --horizontal-pod-autoscaler-downscale-stabilization=30s \
    --horizontal-pod-autoscaler-initial-readiness-delay=5s --horizontal-pod-autoscaler-cpu-initialization-period=10s
  run scheduler "$program" kube-scheduler --kubeconfig=kubeconfig --leader-elect=false --port=0 \
    --bind-address=127.0.0.1 --secure-port="$scheduler"
}

node() {
  local port=$1 health=$2 metrics=$3 proxy=$4
  cat >kubelet.yaml <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 127.0.0.1
port: $port
healthzBindAddress: 127.0.0.1
healthzPort: $health
readOnlyPort: 0
cgroupDriver: $(docker info --format '{{.CgroupDriver}}')
enforceNodeAllocatable: []
failSwapOn: false
authentication: {anonymous: {enabled: false}, webhook: {enabled: false}, x509: {clientCAFile: $folder/ca.crt}}
authorization: {mode: AlwaysAllow}
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
Y
  docker image inspect fsdl-pause >/dev/null 2>&1 ||
    tar -C "$cache" -c pause | docker import --change 'ENTRYPOINT ["/pause"]' - fsdl-pause >/dev/null
  run kubelet "$program" kubelet --kubeconfig=kubeconfig --config=kubelet.yaml --root-dir="$folder/kubelet" \
    --cert-dir="$folder/kubelet-certificates" --volume-plugin-dir="$folder/plugins" --hostname-override=laptop \
    --node-ip="$address" --container-runtime=docker --docker-endpoint="$DOCKER_HOST" --docker="$DOCKER_HOST" \
    --pod-infra-container-image=fsdl-pause
  run proxy "$program" kube-proxy --kubeconfig=kubeconfig --hostname-override=laptop --proxy-mode=iptables \
    --cluster-cidr="$network" --nodeport-addresses=127.0.0.0/8 --metrics-bind-address="127.0.0.1:$metrics" \
    --healthz-bind-address="127.0.0.1:$proxy" --conntrack-max-per-core=0 \
    --conntrack-tcp-timeout-established=0 --conntrack-tcp-timeout-close-wait=0
}

metrics() {
  run metrics python3 "$here/metrics.py" --kubelet "https://127.0.0.1:$1" --port "$2" --certificate "$folder/front" \
    --kubectl "$kubectl"
  "$kubectl" apply -f - >/dev/null <<Y
apiVersion: v1
kind: Service
metadata: {name: metrics-server, namespace: kube-system}
spec: {type: ExternalName, externalName: localhost, ports: [{port: $2}]}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.metrics.k8s.io}
spec:
  service: {name: metrics-server, namespace: kube-system, port: $2}
  group: metrics.k8s.io
  version: v1beta1
  insecureSkipTLSVerify: true
  groupPriorityMinimum: 100
  versionPriority: 100
Y
}

able() {
  suitable
  local tool
  for tool in conntrack socat iptables; do
    command -v $tool >/dev/null || refuse "there is no $tool: apt-get install conntrack socat iptables"
  done
  [ -x "$program" ] || refuse "it is not built: bash infra/scaling/kubernetes/cluster.sh build FOLDER"
  [[ "${DOCKER_HOST:-}" = unix://* ]] || refuse "DOCKER_HOST names no engine on this machine: bash infra/docker/engine.sh start FOLDER"
  docker info >/dev/null 2>&1 || refuse "no engine answers at $DOCKER_HOST"
  [ -z "$(iptables -t nat -S | grep -e '^-N KUBE-SERVICES')" ] || refuse "a Kubernetes keeps its rules in this machine's firewall already (was it this script: stop its FOLDER)"
}

start() {
  able
  [ -z "$(ls -A "$folder" 2>/dev/null)" ] || refuse "$folder is not empty"
  mkdir -p "$folder" && cd "$folder"
  trap 'stop' EXIT # whatever ends it too early: nothing half-started stays
  echo "$DOCKER_HOST" >engine
  read -r address network <<<"$(docker network inspect bridge --format '{{with index .IPAM.Config 0}}{{.Gateway}} {{.Subnet}}{{end}}')"
  local ports
  read -ra ports <<<"$(free_ports 10)"
  keys
  control_plane "${ports[@]:0:5}"
  node "${ports[@]:5:4}"
  metrics "${ports[5]}" "${ports[9]}"
  answers 120 "the node is not ready" "$kubectl" wait node/laptop --for=condition=Ready --timeout=0
  answers 120 "there are no metrics" "$kubectl" get --raw /apis/metrics.k8s.io/v1beta1/nodes
  trap - EXIT
}

ended() {  # NAME: ends a part of ours, at last by force
  local pid
  pid=$(cat "$folder/$1.pid" 2>/dev/null) || return 0
  # A part that was killed leaves its number behind, and another process may have it by now.
  [ "$(readlink "/proc/$pid/cwd")" = "$folder" ] || return 0
  kill "$pid" 2>/dev/null || true
  for _ in $(seq 100); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null || true
}

unruled() {  # The rules and chains that the node made, one by one: nobody else's rule is written anew.
  local table rule chain way
  for table in nat filter mangle; do
    { iptables -t $table -S | grep -e '-j KUBE-' || true; } | while read -r rule; do
      eval "iptables -t $table -D ${rule#-A }" || true
    done
    for way in F X; do
      { iptables -t $table -S | sed -n 's/^-N \(KUBE-[^ ]*\)$/\1/p'; } | while read -r chain; do
        iptables -t $table -$way "$chain" || true
      done
    done
  done
}

stop() {
  [ -e "$folder/engine" ] || return 0 # nothing of ours is there
  local name pod left
  for name in metrics proxy kubelet scheduler controllers apiserver etcd; do ended $name; done
  for pod in "$folder"/kubelet/pods/*; do
    docker -H "$(cat "$folder/engine")" ps -aq --filter "label=io.kubernetes.pod.uid=$(basename "$pod")" 2>/dev/null
  done | xargs -r docker -H "$(cat "$folder/engine")" rm -f >/dev/null 2>&1 || true
  unruled 2>/dev/null
  left=$(awk -v folder="$folder/" 'index($2, folder) == 1 {print $2}' /proc/mounts)
  [ -z "$left" ] || xargs -r umount <<<"$left" || refuse "these are still mounted, and nothing is deleted: $left"
  cd / && rm -rf --one-file-system "$folder"
}

case "$action" in
build) build >&2 ;;
start) start >&2 && echo "$folder/kubeconfig" ;;
stop) stop ;;
able) able ;;
*) echo "cluster.sh build|start|stop|able FOLDER" >&2; exit 2 ;;
esac
