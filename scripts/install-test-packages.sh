#!/bin/sh
# Installs the Debian packages that the tests use and this machine lacks; safe to run again.
# Without root, or on another system, it only names them: the tests that need them skip and say so.
set -eu

# command or path:package
wanted='
docker-registry:docker-registry
skopeo:skopeo
gpg:gpg
gpg-agent:gpg-agent
gpgconf:gpgconf
zstd:zstd
umoci:umoci
runc:runc
crun:crun
busybox:busybox-static
debootstrap:debootstrap
newuidmap:uidmap
htpasswd:apache2-utils
openssl:openssl
setpriv:util-linux
unshare:util-linux
getfattr:attr
podman:podman
iptables:iptables
ip:iproute2
/usr/lib/cni/bridge:containernetworking-plugins
pasta:passt
slirp4netns:slirp4netns
fuse-overlayfs:fuse-overlayfs
chromium:chromium
script:bsdutils
buildah:buildah
ctr:containerd
git:git
jq:jq
zsh:zsh
fish:fish
groff:groff
aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu
qemu-aarch64-static:qemu-user-static
xz:xz-utils
bzip2:bzip2
ps:procps
mkfs.btrfs:btrfs-progs
mkfs.xfs:xfsprogs
'

PATH="$PATH:/usr/sbin:/sbin"
missing=
for pair in $wanted; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done

if [ -z "$missing" ]; then
  echo 'test packages: all there'
  exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "test packages missing here:$missing"
  echo '  tests that need them will skip; on Debian, as root: scripts/install-test-packages.sh'
  exit 0
fi
echo "test packages: installing$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A service must not start just because its package arrived; policy-rc.d is Debian's way to say so.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$log" "$policy"' EXIT
fi
# shellcheck disable=SC2086  # the list is words on purpose
if ! { apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
  tail -20 "$log" >&2
  echo 'test packages: installation failed; tests that need them will skip' >&2
fi
