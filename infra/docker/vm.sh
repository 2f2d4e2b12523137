#!/usr/bin/env bash
# The reader's service in a virtual machine, for comparison with its container: Debian with a kernel, systemd and
# the files of the image. Boots it, asks for the first answer, and prints one line of JSON. Nothing stays behind.
# Needs root on Debian, mmdebstrap, qemu-system-x86, and an engine that has the image.
#   bash infra/docker/vm.sh IMAGE
set -euo pipefail
image=$1
for tool in mmdebstrap qemu-system-x86_64 mke2fs; do
  command -v $tool >/dev/null || { echo "There is no $tool: apt-get install mmdebstrap qemu-system-x86 e2fsprogs" >&2; exit 1; }
done
here=$(mktemp -d)
trap 'rm -rf "$here"; [ -z "${vm:-}" ] || kill "$vm" 2>/dev/null || true' EXIT
sources=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources | head -1)

cat >"$here/reader.service" <<'END'
[Service]
Environment=PYTHONPATH=/app PATH=/opt/reader/bin:/usr/bin:/bin
WorkingDirectory=/app
ExecStart=/opt/reader/bin/python -m fsdl_deploy.cli serve --host 0.0.0.0 --port 8000
[Install]
WantedBy=multi-user.target
END
cat >"$here/all.network" <<'END'
[Match]
Name=e*
[Network]
DHCP=ipv4
END

mmdebstrap --quiet --variant=minbase --include=systemd-sysv,linux-image-cloud-amd64,python3 \
  --customize-hook="docker run --rm --user 0 --entrypoint tar $image -c /opt/reader /app /usr/local | tar -x -C \"\$1\"" \
  --customize-hook="upload $here/reader.service /etc/systemd/system/reader.service" \
  --customize-hook="upload $here/all.network /etc/systemd/network/all.network" \
  --customize-hook='chroot "$1" systemctl enable reader.service systemd-networkd.service' \
  --customize-hook="download /vmlinuz $here/vmlinuz" --customize-hook="download /initrd.img $here/initrd" \
  --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*' \
  bookworm "$here/root.tar" "$sources" >&2
mkdir "$here/root"
tar -x -C "$here/root" -f "$here/root.tar"
truncate -s 3G "$here/disk"
mke2fs -q -t ext4 -d "$here/root" "$here/disk"

# The processor is emulated (tcg): kvm, many times faster, needs a machine that is no virtual machine itself.
accelerator=${ACCELERATOR:-tcg}
[ "$accelerator" = kvm ] && cpu=host || cpu=max
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
began=$(date +%s.%N)
qemu-system-x86_64 -accel "$accelerator" -cpu $cpu -m 1024 -smp 2 -display none -serial "file:$here/console" \
  -kernel "$here/vmlinuz" -initrd "$here/initrd" -append "root=/dev/vda rw console=ttyS0" \
  -drive "file=$here/disk,format=raw,if=virtio" -nic "user,model=virtio,hostfwd=tcp:127.0.0.1:$port-:8000" &
vm=$!
until curl -sf --max-time 2 "http://127.0.0.1:$port/readyz" >/dev/null; do
  kill -0 "$vm" && [ "$(date +%s)" -lt $((${began%.*} + 600)) ] || { tail -20 "$here/console" >&2; exit 1; }
done
ended=$(date +%s.%N)
python3 - "$began" "$ended" "$vm" "$accelerator" "$here/disk" <<'END'
import json, os, sys
began, ended, vm, accelerator, disk = sys.argv[1:]
kib = next(int(line.split()[1]) for line in open(f"/proc/{vm}/status") if line.startswith("VmRSS"))
megabytes = os.stat(disk).st_blocks * 512 / 1e6
print(json.dumps({"seconds": float(ended) - float(began), "MiB": kib / 1024, "disk MB": megabytes,
                  "accelerator": accelerator}))
END
