#!/bin/sh
# image.sh DIRECTORY: makes DIRECTORY/vmlinuz and DIRECTORY/root.img from Debian 13's packages. Needs root, debootstrap, mke2fs.
#
# The cloud kernel has NVMe, virtio and ext4 built in, so that no initial ramdisk is needed. What systemd starts that a
# test has no use for is masked: it takes half of the time of an emulated boot.
set -eu
umask 022
target=$1
suite=trixie
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -E '/debian/?$' | head -n 1 || true)
mirror=${mirror:-http://deb.debian.org/debian}
packages=systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,udev,kmod,iproute2,procps,util-linux
packages=$packages,busybox-static,uidmap,criu,libcriu2,crun,runc,apparmor,attr,acl,iptables,nftables

work=$(mktemp -d "${TMPDIR:-/tmp}/ocijs-vm-XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
echo "deb [signed-by=$keyring] $mirror $suite main" >"$work/apt/sources.list"
apt() {
  apt-get -q -o "Dir::Etc::SourceList=$work/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o "Dir::State::Lists=$work/apt/lists" -o "Dir::Cache=$work/apt/cache" -o Dir::State::status=/dev/null \
    -o APT::Sandbox::User=root "$@"
}
apt update >/dev/null
cd "$work"
image=$(apt-cache -o "Dir::State::Lists=$work/apt/lists" -o "Dir::Cache=$work/apt/cache" -o Dir::State::status=/dev/null \
  -o "Dir::Etc::SourceList=$work/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
  depends linux-image-cloud-amd64 | awk '/Depends/ { print $2; exit }')
apt download "$image" >/dev/null
dpkg-deb -x "$image"_*.deb kernel

root=$work/root
debootstrap --keyring="$keyring" --variant=minbase --include="$packages" "$suite" "$root" "$mirror" >"$work/debootstrap.log" 2>&1 ||
  { tail -n 20 "$work/debootstrap.log" >&2; exit 1; }
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/usr/share/doc "$root"/usr/share/locale "$root"/usr/share/man
cp -a kernel/usr/lib/modules "$root/usr/lib/"
chroot "$root" depmod -a "$(ls "$root/usr/lib/modules")"
# An ordinary user, who gets subordinate ids by itself.
chroot "$root" useradd -m -u 1000 -s /bin/sh user
: >"$root/etc/fstab"
echo vm >"$root/etc/hostname"
echo '127.0.0.1 localhost vm' >"$root/etc/hosts"
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"

cd "$root/etc/systemd/system"
for unit in apparmor systemd-udev-trigger systemd-udevd modprobe@configfs modprobe@efi_pstore modprobe@drm modprobe@fuse \
  modprobe@dm_mod modprobe@loop systemd-udev-load-credentials systemd-random-seed systemd-firstboot systemd-sysusers \
  systemd-journal-flush systemd-update-utmp systemd-modules-load systemd-machine-id-commit systemd-remount-fs \
  systemd-tpm2-setup systemd-tpm2-setup-early systemd-journal-catalog-update systemd-update-done systemd-binfmt \
  systemd-pstore kmod-static-nodes; do
  ln -sf /dev/null "$unit.service"
done
for unit in systemd-udevd-kernel.socket systemd-udevd-control.socket sys-kernel-debug.mount sys-kernel-tracing.mount \
  sys-kernel-config.mount sys-fs-fuse-connections.mount dev-hugepages.mount getty.target timers.target; do
  ln -sf /dev/null "$unit"
done
cat >tests.service <<'UNIT'
[Unit]
Wants=dbus.service systemd-logind.service
After=dbus.service systemd-logind.service systemd-user-sessions.service
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
ExecStart=/run-tests
Delegate=yes
TimeoutStartSec=infinity
UNIT
cat >tests.target <<'UNIT'
[Unit]
Requires=basic.target tests.service systemd-user-sessions.service
After=basic.target
AllowIsolate=yes
UNIT
ln -sf tests.target default.target
mkdir -p user@.service.d
printf '[Service]\nDelegate=cpu cpuset io memory pids\n' >user@.service.d/delegate.conf
# The work comes as a tar on a disk; what it prints, and at last its exit code, goes to a port.
cat >"$root/run-tests" <<'SCRIPT'
#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb
ip link set lo up
modprobe -a virtio_blk overlay tun 2>/dev/null
mkdir -p /job && tar xf /dev/vda -C /job
port=$(ls /dev/vport*p1 | head -n 1)
(cd /job && exec sh ./command) >"$port" 2>&1 </dev/null
echo "exit code $?" >"$port"
sync
SCRIPT
chmod 755 "$root/run-tests"

cd "$work"
mke2fs -q -t ext4 -d "$root" -O ^has_journal -E lazy_itable_init=1 -m 0 root.img 3000M
cp kernel/boot/vmlinuz-* "$target/vmlinuz"
cp --sparse=always root.img "$target/root.img.new"
mv "$target/root.img.new" "$target/root.img"
