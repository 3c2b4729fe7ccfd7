"""The programs of the offline package set, and how to see that each is whole.

A script has its own package on PATH, a POSIX shell, and nothing else: what it runs without is what an image
runs without.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    """A package and a script that runs it.

    Args:
        name: Its attribute in the package set.
        script: What the shell runs.
        expected: A part of what is printed.
        user: Who runs it.
    """

    name: str
    script: str
    expected: str
    user: str = "root"

    def __str__(self) -> str:
        return self.name


NGINX = r"""
echo 'daemon on; user nobody; pid /tmp/pid; error_log stderr; events { }
http { access_log off; client_body_buffer_size 1; server { listen 8081; return 200 "from nginx"; }
server { listen 8080; location / { proxy_pass http://127.0.0.1:8081; } } }' > /tmp/nginx.conf
nginx -c /tmp/nginx.conf
exec 3<> /dev/tcp/127.0.0.1/8080
printf 'POST / HTTP/1.0\r\nContent-Length: 18\r\n\r\nkept until it came' >&3
while read -r line || [ -n "$line" ]; do echo "$line"; done <&3
cd /tmp/nginx_client_body && pwd
"""
POSTGRESQL = r"""
initdb -D /tmp/data > /dev/null 2>&1 || exit
echo "select 'zone ' || (timestamptz '2024-07-01 12:00Z' at time zone 'Europe/Paris')" |
  postgres --single -D /tmp/data postgres
"""
REDIS = r"""
redis-server --port 0 --unixsocket /tmp/socket --daemonize yes > /dev/null
until redis-cli -s /tmp/socket ping 2> /dev/null; do :; done
redis-cli -s /tmp/socket shutdown nosave
"""
GIT = r"""
cd /tmp && export HOME=/tmp
git config --global user.email a@b.c && git config --global user.name a
git config --global init.defaultBranch main
git init -q one && cd one && echo text > file && git add file && git commit -qm first
git clone -q /tmp/one /tmp/two && cd /tmp/two && git log --oneline && git submodule status && git --exec-path
"""
NODE = r"""
node -e 'const z = require("zlib"); console.log(z.gunzipSync(z.gzipSync("text from node")).toString())'
"""
PYTHON = r"""
python3 -c 'import bz2, ctypes, curses, decimal, hashlib, lzma, readline, sqlite3, ssl, sys, uuid, zlib
if sys.version_info < (3, 12): import distutils.util, lib2to3.pgen2
print(40 + 2, sys.prefix == sys.base_prefix, ssl.get_default_verify_paths().openssl_cafile)'
"""
SERVICES = r"""
while read -r name port rest; do [ "$name" != https ] || echo "$port"; done < "${PATH%/bin}/etc/services"
"""
SHADOW = r"""
for file in shadow gshadow subuid subgid; do : > /etc/$file; done
useradd -u 1234 -M somebody
while read -r line; do echo "$line"; done < /etc/passwd
"""
VIM = r"""
vim -es -c 'redir >> /dev/stdout' -c 'syntax on' -c 'echo "syntax" exists("g:syntax_on")' -c q
"""
CERTIFICATE = "openssl req -newkey rsa:2048 -nodes -subj /CN=x -x509 -keyout /tmp/key 2> /dev/null"
LOADER = "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"

PROGRAMS = (
    Program("bash", "bash -c 'echo $((6 * 7)) $BASH'", "42 /nix/store/"),
    Program(
        "bashInteractive",
        "TERM=xterm bash -ic 'bind -v | while read x; do echo $x; done' 2>&1",
        "editing-mode",
    ),
    Program("busybox", "busybox awk 'BEGIN { print 6 * 7 }'; ls -d /tmp", "42\n/tmp"),
    Program(
        "cacert",
        'read -r line < "${PATH%/bin}/etc/ssl/certs/ca-bundle.crt"; echo "$line"',
        "BEGIN CERTIFICATE",
    ),
    Program("coreutils", "id -un; sort --version", "root\nsort (GNU coreutils)"),
    Program("curl", "curl -s file:///etc/passwd; curl --version", "root:x:0:0"),
    Program("dash", "dash -c 'echo $((6 * 7))'", "42"),
    Program("diffutils", "echo a > /tmp/a; echo b > /tmp/b; diff /tmp/a /tmp/b", "< a\n---\n> b"),
    Program("emacs", 'emacs --batch --eval "(progn (require \'org) (princ (org-version)))"', "9."),
    Program(
        "fakeroot", "fakeroot -- /bin/sh -c 'echo > /tmp/x; chown 12:34 /tmp/x; ls -ln /tmp/x'", " 12 34 "
    ),
    Program("file", "file /etc/passwd; file -L /bin/sh", "ASCII text\n/bin/sh: ELF 64-bit"),
    Program("findutils", "find /tmp -maxdepth 0; echo --version | xargs find", "/tmp\nfind (GNU findutils)"),
    Program("gawk", "awk -F: '/^root/ { print $1, NR }' /etc/passwd", "root 1"),
    Program("git", GIT, "first\n/nix/store/"),
    Program("gnugrep", "grep -E '^ro+t' /etc/passwd", "root:x:0:0"),
    Program("gnumake", "printf 'all:\\n\\t@echo made; :\\n' | make -f -", "made"),
    Program("gnused", "sed -n 's/^root:.*/found/p' /etc/passwd", "found"),
    Program("gnutar", "tar -cf /tmp/a.tar /etc/passwd; tar -tf /tmp/a.tar", "etc/passwd"),
    Program("gzip", "echo text | gzip | gzip -d; echo text | gzip | zcat", "text\ntext"),
    Program("hello", "hello", "Hello, world!"),
    Program("iana-etc", SERVICES, "443/tcp"),
    Program("iproute2", "ip addr show lo; ip route show table local", "LOOPBACK"),
    Program("jq", "echo '{\"a\": [1, 2]}' | jq -c '.a | map(. + 1)'", "[2,3]"),
    Program("less", "less -E /etc/passwd", "root:x:0:0"),
    Program("nano", "TERM=xterm nano --version", "GNU nano"),
    Program("nginx", NGINX, "from nginx\n/tmp/nginx_client_body"),
    Program(
        "nix",
        "nix-instantiate --store dummy:// --eval -E 'builtins.length [ 1 2 ]'; nix-store --version",
        "2\n",
    ),
    Program("nodejs", NODE, "text from node"),
    Program("openssl", CERTIFICATE, "BEGIN CERTIFICATE"),
    Program("patchelf", 'patchelf --print-interpreter "$(command -v patchelf)"', LOADER),
    Program("perl", "perl -T -MJSON::PP -MPOSIX -MIO::Socket -e 'print encode_json([floor(42.5)])'", "[42]"),
    Program("pigz", "echo text | pigz | pigz -d", "text"),
    Program("postgresql", POSTGRESQL, "zone 2024-07-01 14:00:00", user="nobody"),
    Program("procps", "ps -e -o comm=; free", "Mem:"),
    Program("python3", PYTHON, "42 True /etc/ssl/cert.pem"),
    Program("redis", REDIS, "PONG"),
    Program("rsync", "rsync -r --out-format='%n' /etc/passwd /tmp/copy/", "passwd"),
    Program("shadow", SHADOW, "somebody:x:1234"),
    Program("skopeo", "skopeo --version", "skopeo version"),
    Program("socat", "socat -u FILE:/etc/passwd STDOUT", "root:x:0:0"),
    Program("sqlite", "sqlite3 :memory: 'select 6 * 7, sqlite_version()'", "42|3."),
    Program("tini", "tini -s -- /bin/sh -c 'echo below $PPID'", "below"),
    Program("tzdata", '[ -s "${PATH%/bin}/share/zoneinfo/Europe/Paris" ] && echo there', "there"),
    Program("util-linux", "lsblk --version; uuidgen > u; hexdump -n 1 u; getopt -o a -- -a b", " -a -- 'b'"),
    Program("vim", VIM, "syntax 1"),
    Program("which", "which which", "/bin/which"),
    Program("xz", "echo text | xz | xz -d", "text"),
    # A library: the shell loads it, and looks for a command in it.
    Program(
        "zlib", 'enable -f "${PATH%/bin}/lib/libz.so.1" command 2>&1', "undefined symbol: command_struct"
    ),
    Program("zstd", "echo text | zstd | zstd -d", "text"),
)

HAPROXY = r"""
printf 'defaults\n timeout client 1\n timeout connect 1\n timeout server 1\n' > file
haproxy -c -f file; haproxy -v
"""
PATCH = r"""
echo a > file; printf -- '--- file\n+++ file\n@@ -1 +1 @@\n-a\n+b\n' | patch; echo $(< file)
"""

MORE_PROGRAMS = (
    Program("bc", "echo 'scale=3; 22/7' | bc -l", "3.142"),
    Program("binutils", "ar --version; nm -D $(command -v ld)", "GNU ar"),
    Program("bzip2", "echo text | bzip2 | bunzip2; echo text | bzip2 > x.bz2; bzcat x.bz2", "text\ntext"),
    Program("cowsay", "cowsay -f tux moo", "< moo >"),
    Program("dig", "dig -v 2>&1", "DiG 9."),
    Program("ed", r"printf 'a\nline\n.\nw file\nq\n' | ed -s; ed -s file <<< ,p", "line"),
    Program("figlet", "figlet -f banner x", "#    #"),
    Program(
        "gettext",
        "GREETING=hello envsubst <<< '$GREETING world'; msgfmt --version",
        "hello world\nmsgfmt (GNU",
    ),
    Program("getent", "getent passwd 0; getent --version", "root:"),
    Program("gosu", "gosu --version", "1."),
    Program("haproxy", HAPROXY, "HAProxy version"),
    Program("hostname", "hostname --version", "hostname 3."),
    Program("htop", "htop --version", "htop 3"),
    Program("iptables", "iptables --version", "iptables v1."),
    Program("iputils", "ping -V && tracepath -V", "tracepath from iputils"),
    Program("libcap", "capsh --print", "Current:"),
    Program("lsof", "lsof -p $$ 2>&1", "bash"),
    Program("m4", "m4 <<< 'define(x, 6)eval(x * 7)'", "42"),
    Program("memcached", "memcached --version", "memcached 1."),
    Program("ncurses", "tput -T xterm cols; infocmp xterm", "xterm terminal emulator"),
    Program("netcat", "nc -h 2>&1", "OpenBSD netcat"),
    Program("nettools", "ifconfig lo", "LOOPBACK"),
    Program("parallel", "HOME=$PWD parallel --version", "GNU parallel"),
    Program("patch", PATCH, "patching file file\nb"),
    Program("ripgrep", "echo needle > hay; rg -n nee", "1:needle"),
    Program("screen", "screen --version", "Screen version"),
    Program("strace", "strace -V", "strace -- version"),
    Program("sudo", "visudo -V", "visudo version"),
    Program("time", "$(type -P time) --version", "GNU Time"),
    Program("tmux", "tmux -V", "tmux 3"),
    Program("tree", "echo > file; tree --noreport", "`-- file"),
    Program("unzip", "unzip -v", "UnZip 6"),
    Program("wget", "wget --version", "GNU Wget"),
    Program("xxd", "echo A | xxd -p", "410a"),
    Program("zip", "echo text > file; zip -q zip file && zip -sf zip", "Archive contains:\n  file"),
)
"""Packages beyond those that realistic images are made of. Their scripts run in /tmp, in bash as `sh`."""
