"""A Vagrant box for libvirt, made from Debian packages alone: the lab's own root file system, and a kernel.

What is special to emulation (a machine without KVM, started from its kernel directly) stands in the box's own
Vagrantfile, so that the lab's Vagrantfile is tried as it is.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from hactl.lab import image, shell

NAME = "hactl-lab/emulated"
KERNEL = ("linux-image-cloud-amd64", "initramfs-tools", "udev")
_GIGABYTES = 8  # of the disk, most of which is never written

_VAGRANTFILE = """\
Vagrant.configure("2") do |config|
  config.vm.boot_timeout = 900
  config.vm.provider "libvirt" do |libvirt|
    libvirt.driver = "qemu"
    libvirt.cpu_mode = "custom"
    libvirt.cpu_model = "qemu64"
    libvirt.cpu_fallback = "allow"
    libvirt.kernel = File.join(__dir__, "vmlinuz")
    libvirt.initrd = File.join(__dir__, "initrd.img")
    libvirt.cmd_line = "root=/dev/vda rw quiet net.ifnames=0 mitigations=off console=ttyS0"
    libvirt.disk_driver cache: "unsafe"
    libvirt.graphics_type = "none"
    libvirt.management_network_mode = "open" # no rules of a packet filter, and nowhere to go
  end
end
"""

_FIRST_LINK = """\
[Match]
Name=eth0

[Network]
DHCP=ipv4
LinkLocalAddressing=no
"""

_FINISH = """
useradd --create-home --shell /bin/bash --password '*' vagrant
echo 'vagrant ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/vagrant
install -d -m 700 -o vagrant -g vagrant /home/vagrant/.ssh
install -m 600 -o vagrant -g vagrant /tmp/vagrant.pub /home/vagrant/.ssh/authorized_keys
rm /tmp/vagrant.pub
rm -f /etc/update-motd.d/* # each login would run them
echo localhost >/etc/hostname
echo '127.0.0.1 localhost' >/etc/hosts
"""


def build(target: Path, folder: Path) -> None:
    """Makes the box `target`; works in `folder`, which must be on a disk with 3 GB to spare."""
    root, parts = folder / "root", folder / "parts"
    image.make_root(root, KERNEL)
    shutil.copy(insecure_key(), root / "tmp/vagrant.pub")
    (root / "etc/systemd/network/10-first.network").write_text(_FIRST_LINK, encoding="ascii")
    shell.run(["chroot", root, "/bin/sh", "-eu"], stdin=_FINISH)
    parts.mkdir()
    for name in ("vmlinuz", "initrd.img"):
        shutil.copy(max((root / "boot").glob(f"{name}-*")), parts / name)
    raw = folder / "disk.raw"
    shell.run(["truncate", "-s", f"{_GIGABYTES}G", raw])
    shell.run(["mkfs.ext4", "-q", "-F", "-d", root, raw], timeout=600.0)
    shutil.rmtree(root)
    shell.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, parts / "box.img"], timeout=600.0)
    raw.unlink()
    described = {"provider": "libvirt", "format": "qcow2", "virtual_size": _GIGABYTES}
    (parts / "metadata.json").write_text(json.dumps(described), encoding="ascii")
    (parts / "Vagrantfile").write_text(_VAGRANTFILE, encoding="ascii")
    draft = target.with_name(f".{target.name}.new")
    shell.run(["tar", "-C", parts, "-cf", draft, *sorted(path.name for path in parts.iterdir())], timeout=600.0)
    shutil.rmtree(parts)
    draft.rename(target)


def insecure_key() -> Path:
    """The public key that every box trusts until Vagrant replaces it, from Vagrant's own package."""
    found = shell.run(["dpkg", "-L", "vagrant"]).splitlines()
    return Path(next(line for line in found if line.endswith("/keys/vagrant.pub")))
