"""Programs of the machine, of containers, and of pictures, sounds and documents."""

from __future__ import annotations

from .programs import Program

IMAGE = "printf 'P3 2 2 255 255 0 0 0 255 0 0 0 255 9 9 9\\n' > a.ppm;"
PNG = f"{IMAGE} pnmtopng a.ppm"
PDF = (
    r"printf '%%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    r"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    r"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>endobj\ntrailer<</Root 1 0 R/Size 4>>\n' > a.pdf;"
)
PS = "echo '%!PS\n/Helvetica findfont 12 scalefont setfont 9 9 moveto (x) show showpage 6 7 mul =' > a.ps;"
DISK = "exec 3> d; echo > d;"
BUBBLE = "bwrap --version"
VALGRIND = "valgrind --version"
GDB = "HOME=/tmp gdb -batch -ex 'print 6 * 7' -ex 'python print(\"from\" + \" python\")' 2>&1"
LOGROTATE = "echo x > log; echo '/tmp/log { rotate 1\ncopytruncate\n}' > c; logrotate -f -s s c; echo log*"
CRON = "exec 2>&1; cron -L 1 -f & read -rt 0.5 <> <(:) || kill $! && echo ran"
FLUX = "HOME=/tmp fluxbox -version"
XVFB = r"""
HOME=/tmp Xvfb :7 -screen 0 64x64x24 > log 2>&1 &
for try in 1 2 3 4 5 6 7 8 9 10; do [ -S .X11-unix/X7 ] && break; read -rt 0.5 <> <(:) || :; done
[ -S .X11-unix/X7 ] && echo display || while read -r x; do echo "$x"; done < log
"""

ROWS = (
    # The machine.
    Program("psmisc", "pstree --version 2>&1; killall --version 2>&1", "killall (PSmisc)"),
    Program("kmod", "kmod --version; lsmod --version", "kmod version"),
    Program("cron", "crontab -V 2>&1 || cron -h 2>&1; crontab -l 2>&1", "crontab"),
    Program("logrotate", LOGROTATE, "log log.1"),
    Program("sysstat", "sar -V; mpstat 2>&1; iostat -V", "sysstat version"),
    Program("btop", "HOME=/tmp btop --version", "btop version"),
    Program("iotop", "iotop --version", "iotop 0"),
    Program("duf", "duf --version; duf /tmp", "duf"),
    Program("inxi", "HOME=/tmp inxi --version", "inxi 3"),
    Program("dmidecode", "dmidecode --version", "3."),
    Program("hdparm", "hdparm -V", "hdparm v9"),
    Program("smartmontools", "smartctl --version", "smartctl 7"),
    Program("lm_sensors", "sensors --version", "sensors version 3"),
    Program("pciutils", "lspci --version; lspci -i /etc/passwd 2>&1", "lspci version 3"),
    Program("usbutils", "lsusb --version", "lsusb (usbutils)"),
    Program("stress-ng", "stress-ng --cpu 1 --cpu-ops 1 2>&1", "successful run completed"),
    Program("stress", "stress --version", "stress 1"),
    Program("sysbench", "sysbench cpu --events=1 run", "total number of events:"),
    Program("fio", "fio --name=a --size=4k --filename=f --ioengine=sync 2>&1", "err= 0"),
    Program("numactl", "numactl --hardware 2>&1; numactl -s 2>&1", "cpubind"),
    Program("cpulimit", "cpulimit -h", "Usage: cpulimit"),
    Program("hwloc", "lstopo-no-graphics --version", "lstopo-no-graphics 2"),
    Program("gdb", GDB, "$1 = 42"),
    Program("ltrace", "ltrace -V", "ltrace version"),
    Program("inotify-tools", "inotifywait -t 1 /tmp 2>&1", "Watches established"),
    Program("incron", "incrond --version 2>&1", "incrond 0"),
    Program("debootstrap", "debootstrap --version 2>&1", "debootstrap 1"),
    Program("mmdebstrap", "mmdebstrap --version", "mmdebstrap 1"),
    Program("audit", "auditctl -v", "auditctl version 3"),
    Program("acl", "echo > f; setfacl -m u:0:r f; getfacl -c f", "user:root:r--"),
    Program("attr", "getfattr --version", "getfattr 2"),
    Program("libseccomp", "scmp_sys_resolver 0", "read"),
    Program("apparmor-utils", "echo 'profile a { }' | apparmor_parser -N", "a"),
    Program("systemd", "systemd-tmpfiles --version; systemctl --version", "systemd 252"),
    Program("dbus", "dbus-daemon --version; dbus-uuidgen --help 2>&1", "D-Bus Message Bus Daemon 1"),
    Program("runit", "runsv 2>&1; runsvdir 2>&1", "usage: runsv"),
    Program("s6", "s6-svscan -h 2>&1", "s6-svscan: usage"),
    Program(
        "execline", 'execlineb -c \'if { /bin/sh -c "echo below" } /bin/sh -c "echo then"\'', "below\nthen"
    ),
    Program("dumb-init", "dumb-init /bin/sh -c 'echo below'", "below"),
    Program("minicom", "minicom --version", "minicom version 2"),
    Program("picocom", "picocom --help", "picocom v3"),
    # Disks.
    Program("e2fsprogs", "echo > f; mke2fs -q -F f 256k && e2fsck -fn f", "files"),
    Program("btrfs-progs", "btrfs --version", "btrfs-progs v"),
    Program("xfsprogs", "mkfs.xfs -V", "mkfs.xfs version"),
    Program("dosfstools", "mkfs.fat -C f 1024; fsck.fat f", "files"),
    Program("exfatprogs", "mkfs.exfat -V", "exfatprogs version"),
    Program("f2fs-tools", "mkfs.f2fs -V 2>&1", "mkfs.f2fs 1"),
    Program("ntfs3g", "ntfs-3g --version 2>&1", "ntfs-3g 20"),
    Program("parted", "parted --version", "parted (GNU parted)"),
    Program("gptfdisk", "sgdisk --version; gdisk -l /etc/passwd 2>&1", "GPT fdisk"),
    Program("lvm2", "lvm version 2>&1", "LVM version:"),
    Program("cryptsetup", "cryptsetup --version", "cryptsetup 2"),
    Program("mdadm", "mdadm --version 2>&1", "mdadm - v4"),
    Program("ddrescue", "echo text > a; ddrescue -q a b; read -r x < b; echo $x", "text"),
    Program("testdisk", "TERM=xterm testdisk /version", "Version: 7"),
    Program("fuse3", "fusermount3 --version", "fusermount3 version"),
    Program("fuse", "fusermount --version", "fusermount"),
    Program("bindfs", "bindfs --version", "bindfs 1"),
    Program("mergerfs", "mergerfs --version", "mergerfs v"),
    Program("gocryptfs", "gocryptfs --version", "gocryptfs"),
    # Containers and machines.
    Program("docker-client", "HOME=/tmp docker --version", "Docker version"),
    Program("podman", "HOME=/tmp podman --version", "podman version 4"),
    Program("buildah", "HOME=/tmp buildah --version", "buildah version 1"),
    Program("runc", "runc --version; runc spec && echo spec", "spec"),
    Program("crun", "crun --version", "crun version"),
    Program("containerd", "containerd --version", "containerd github.com/containerd"),
    Program("umoci", "umoci init --layout l && umoci new --image l:a && umoci ls --layout l", "a"),
    Program("conmon", "conmon --version", "conmon version"),
    Program("slirp4netns", "slirp4netns --version", "slirp4netns version"),
    Program("fuse-overlayfs", "fuse-overlayfs --version", "fuse-overlayfs: version"),
    Program("bubblewrap", "bwrap --version", "bubblewrap 0"),
    Program("kubectl", "HOME=/tmp kubectl version --client 2>&1", "GitVersion"),
    Program("ansible", "HOME=/tmp ansible localhost -m debug -a msg=4{{1+1}} 2>&1", '"msg": "42"'),
    Program("libvirt", "virsh --version", "9."),
    Program("qemu-utils", "qemu-img create -q -f qcow2 f 1M && qemu-img info f", "virtual size: 1 MiB"),
    Program("qemu-user", "qemu-aarch64-static --version", "qemu-aarch64 version 7"),
    Program(
        "qemu", "qemu-system-x86_64 -version; qemu-system-x86_64 -M none -nographic -L help", "version 7"
    ),
    # Pictures and documents.
    Program("imagemagick", "convert -size 4x4 xc:red a.png && identify a.png; convert -list font", "PNG 4x4"),
    Program("graphicsmagick", "gm convert -size 4x4 xc:red a.gif && gm identify a.gif", "GIF 4x4"),
    Program("netpbm", f"{IMAGE} pnmtopng a.ppm > a.png; pngtopnm a.png | pamfile", "PPM raw, 2 by 2"),
    Program("potrace", "printf 'P1 2 2 1 0 0 1' | potrace -s -o -", "<svg"),
    Program("optipng", "optipng -v", "OptiPNG version"),
    Program("pngquant", "pngquant --version", "2."),
    Program("pngcrush", "pngcrush -version 2>&1", "pngcrush 1"),
    Program("jpegoptim", "jpegoptim --version", "jpegoptim v1"),
    Program("gifsicle", "gifsicle --version", "LCDF Gifsicle"),
    Program("advancecomp", "advzip --version", "advancecomp v"),
    Program("exiftool", "exiftool -ver; exiftool -FileType /etc/passwd", "TXT"),
    Program("exiv2", "exiv2 --version", "exiv2 0"),
    Program("mediainfo", "mediainfo --Version", "MediaInfo Command line"),
    Program("libwebp", "cwebp -version", "1."),
    Program(
        "librsvg",
        'echo \'<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>\' | '
        'rsvg-convert | { read -r x; echo "$x"; }',
        "PNG",
    ),
    Program("vips", "vips --version", "vips-8"),
    Program("qpdf", f"{PDF} qpdf --show-npages a.pdf 2> /dev/null", "1"),
    Program("poppler_utils", f"{PDF} pdfinfo a.pdf 2> /dev/null", "Pages:           1"),
    Program("mupdf", f"{PDF} mutool info a.pdf 2> /dev/null", "Pages: 1"),
    Program(
        "ghostscript",
        f"{PS} gs -q -dBATCH -dNOPAUSE -sDEVICE=png16m -o a.png a.ps && echo a.png",
        "42\na.png",
    ),
    Program("tesseract", "tesseract --list-langs 2>&1", "eng"),
    Program("fontconfig", "fc-list --version 2>&1; fc-match sans", "fontconfig version"),
    Program("shared-mime-info", "update-mime-database -v 2>&1", "update-mime-database"),
    Program("dejavu_fonts", "cd ${PATH%/bin}/share/fonts/truetype/dejavu; echo *", "DejaVuSans.ttf"),
    Program("liberation_ttf", "cd ${PATH%/bin}/share/fonts/truetype; echo */*", "LiberationSans-Regular.ttf"),
    Program(
        "mailcap",
        "while read -r type ends; do echo $type $ends; done < ${PATH%/bin}/etc/mime.types",
        "text/html",
    ),
    # Sound and film.
    Program(
        "ffmpeg",
        "ffmpeg -v error -f lavfi -i sine=d=1 a.flac && ffprobe -v error -show_format a.flac",
        "duration=1.",
    ),
    Program("sox", "sox -n a.wav synth 1 sine 440 && soxi -D a.wav", "1.0"),
    Program("lame", "lame --version", "LAME 64bits"),
    Program("flac", "flac --version", "flac 1"),
    Program("vorbis-tools", "oggenc --version", "oggenc from vorbis-tools"),
    Program("opusTools", "opusenc --version", "opusenc opus-tools"),
    Program("x264", "x264 --version", "x264 0"),
    Program("x265", "x265 --version 2>&1", "HEVC encoder version"),
    Program("mpg123", "mpg123 --version", "mpg123 1"),
    Program("yt-dlp", "HOME=/tmp yt-dlp --version", "20"),
    Program("streamlink", "HOME=/tmp streamlink --version", "streamlink 5"),
    Program("icecast", "icecast2 -v", "Icecast 2"),
    Program("transmission", "transmission-daemon --version 2>&1", "transmission-daemon 3"),
    Program("rtorrent", "HOME=/tmp TERM=xterm rtorrent -h", "Rakshasa's BitTorrent client version"),
    # Displays.
    Program("xvfb-run", XVFB, "display"),
    Program("xterm", "HOME=/tmp xterm -version", "XTerm("),
    Program("xdotool", "xdotool version 2>&1", "open display"),
    Program("wmctrl", "wmctrl -l 2>&1", "Cannot open display"),
    Program("xclip", "xclip -version 2>&1", "xclip version"),
    Program("feh", "feh --version", "feh version"),
    Program("fluxbox", "HOME=/tmp fluxbox -version", "Fluxbox 1"),
    Program("x11vnc", "x11vnc --version", "x11vnc: 0"),
    Program("tigervnc", "Xtigervnc -version 2>&1", "Xvnc TigerVNC"),
)
