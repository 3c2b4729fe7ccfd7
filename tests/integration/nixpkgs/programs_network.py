"""Programs of the network: services, which are started and asked, and what speaks to them."""

from __future__ import annotations

from .programs import Program

ASK = r"""
for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  (exec 3<> /dev/tcp/127.0.0.1/%(port)s) 2> /dev/null && break
  read -rt 0.5 <> <(:) || :
done
exec 3<> /dev/tcp/127.0.0.1/%(port)s
printf '%(text)s' >&3
while IFS= read -rt 5 line <&3 || [ -n "$line" ]; do echo "$line"; line=; done
"""


def ask(start: str, port: int, text: str = r"GET / HTTP/1.0\r\n\r\n") -> str:
    """Return a script that starts a service, says something to its port, and prints what it answers."""
    return start + ASK % {"port": port, "text": text}


CADDY = ask(
    "printf '{\\nadmin off\\n}\\n:8080\\nrespond \"from caddy\"' > Caddyfile; "
    "HOME=/tmp caddy run 2> /dev/null &",
    8080,
)
LIGHTTPD = ask(
    'echo from lighttpd > d/index.html; printf \'server.document-root = "/tmp/d"\\nserver.port = 8080\\n'
    'index-file.names = ("index.html")\\nserver.modules = ("mod_expire")\\n\' > c; lighttpd -f c\n',
    8080,
)
APACHE = ask(
    "echo from apache > d/index.html; m=${PATH%/bin}/lib/apache2/modules\n"
    'printf "LoadModule mpm_event_module $m/mod_mpm_event.so\\n'
    "LoadModule authz_core_module $m/mod_authz_core.so\\n"
    "LoadModule dir_module $m/mod_dir.so\\nServerName a\\nListen 8080\\n"
    "PidFile /tmp/pid\\nDocumentRoot /tmp/d\\n"
    'DefaultRuntimeDir /tmp\\nErrorLog /dev/stderr\\nDirectoryIndex index.html\\n" > c; apache2 -f /tmp/c\n',
    8080,
)
UWSGI = ask(
    "uwsgi-core --version; (uwsgi-core --http-socket :8080 --need-plugin none > log 2>&1 || :) &\n", 8080
)
SQUID = "squid -v"
VARNISH = "varnishd -V 2>&1"
MOSQUITTO = "mosquitto -p 1883 -d; mosquitto -h | { read -r line; echo $line; }"
NATS = ask("nats-server -a 127.0.0.1 -p 4222 > /dev/null 2>&1 &", 4222, r"PING\r\n")
PROMETHEUS = "echo 'global: {}' > c.yml; promtool check config c.yml; prometheus --version"
NODE_EXPORTER = ask(
    "prometheus-node-exporter --web.listen-address=:9100 2> /dev/null &",
    9100,
    r"GET /metrics HTTP/1.0\r\n\r\n",
)
BEANSTALKD = ask("beanstalkd -p 11300 &", 11300, r"stats\r\nquit\r\n")
GEARMAND = ask("gearmand -d -l none -P /tmp/pid -p 4730\n", 4730, r"version\n")
MARIADB = r"""
mariadb-install-db --no-defaults --user=root --datadir=/tmp/d --force \
  --auth-root-authentication-method=normal > log 2>&1
mariadbd --no-defaults --user=root --datadir=/tmp/d --socket=/tmp/s --skip-networking >> log 2>&1 &
for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  mariadb-admin --no-defaults -S /tmp/s ping > /dev/null 2>&1 && break; read -rt 0.5 <> <(:) || :
done
mariadb --no-defaults -S /tmp/s -e "select concat('zone ', 6 * 7)" ||
  while read -r x; do echo "$x"; done < log
mariadb-admin --no-defaults -S /tmp/s shutdown
"""
UNBOUND = (
    'printf \'server:\\n  chroot: ""\\n  username: ""\\n  directory: "/tmp"\\n'
    '  pidfile: "/tmp/pid"\\n\' > c; '
    "unbound-checkconf c; unbound -V"
)
SSHD = (
    r"""
ssh-keygen -q -t ed25519 -N '' -f key; echo sshd:x:22:22::/var/empty:/bin/sh >> /etc/passwd
$(type -P sshd) -f /dev/null -h /tmp/key -p 2222 -o UsePAM=no
"""
    + ASK % {"port": 2222, "text": r"SSH-2.0-x\r\n"}
)
SLAPD = r"""
e=${PATH%/bin}/share/etc/ldap
printf "include $e/schema/core.schema\nmodulepath ${PATH%/bin}/lib/ldap\nmoduleload back_mdb\npidfile /tmp/pid
database mdb\nsuffix dc=a\nrootdn cn=r,dc=a\nrootpw x\ndirectory /tmp/d\n" > c
slapd -f c -h ldap://127.0.0.1:3890
until (exec 3<> /dev/tcp/127.0.0.1/3890) 2> /dev/null; do read -rt 0.1 <> <(:) || :; done
printf 'dn: dc=a\nobjectClass: dcObject\nobjectClass: organization\no: from slapd\ndc: a\n' |
  ldapadd -x -H ldap://127.0.0.1:3890 -D cn=r,dc=a -w x > /dev/null
ldapsearch -LLL -x -H ldap://127.0.0.1:3890 -b dc=a
"""
SAMBA = "printf '[global]\\n  workgroup = W\\n' > c; smbd --version; testparm -s c 2> /dev/null"
RABBITMQ = r"""
export HOME=/tmp RABBITMQ_LOG_BASE=/tmp RABBITMQ_MNESIA_BASE=/tmp/m RABBITMQ_NODENAME=a@localhost
rabbitmqctl version
"""
SUPERVISOR = r"""
printf '[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=/tmp/pid
[program:a]\ncommand=/bin/sh -c "echo from below; kill $PPID"\nstdout_logfile=/dev/fd/1
stdout_logfile_maxbytes=0\n
startsecs=0\nautorestart=false\n' > c
supervisord -u root -c c 2>&1 & sleep=$!
for try in 1 2 3 4 5 6 7 8; do read -rt 0.5 <> <(:) || :; done; kill $sleep; wait
"""
BIND = r"""
printf 'options { directory "/tmp"; pid-file "/tmp/pid"; listen-on port 5353 { 127.0.0.1; };
listen-on-v6 { none; };
session-keyfile "/tmp/k"; recursion no; managed-keys-directory "/tmp"; dnssec-validation no; };
zone "a" { type master; file "/tmp/z"; };\ncontrols { };\n' > c
printf '$TTL 60\n@ SOA a. a. 1 1 1 1 1\n@ NS a.\n@ A 192.0.2.42\n' > z
named -c /tmp/c > log 2>&1; dig -p 5353 @127.0.0.1 a. A +short || while read -r x; do echo "$x"; done < log
"""

ROWS = (
    # Web.
    Program("caddy", CADDY, "from caddy"),
    Program("lighttpd", LIGHTTPD, "from lighttpd"),
    Program("apacheHttpd", APACHE, "from apache"),
    Program("uwsgi", "uwsgi-core --version", "2.0"),
    Program("squid", SQUID, "Squid Cache: Version"),
    Program("varnish", VARNISH, "varnishd (varnish-"),
    Program("tinyproxy", "tinyproxy -v", "tinyproxy 1"),
    Program("stunnel", "stunnel -version 2>&1", "stunnel 5"),
    Program("nghttp2", "nghttp --version", "nghttp nghttp2/1"),
    Program("fcgiwrap", "fcgiwrap -h 2>&1", "Usage: "),
    Program("spawn_fcgi", "spawn-fcgi -v", "spawn-fcgi v1"),
    Program("siege", "HOME=/tmp siege --version 2>&1", "SIEGE 4"),
    Program("wrk", "wrk -v", "wrk"),
    Program("hey", "hey 2>&1", "Usage: hey"),
    Program("httpie", "http --version", "3."),
    Program("goaccess", "goaccess --version", "GoAccess - 1"),
    Program("websockify", "websockify --help", "websockify"),
    # Databases and queues.
    Program("mariadb", MARIADB, "zone 42"),
    Program("pgbouncer", "pgbouncer --version", "PgBouncer 1."),
    Program("influxdb", "influxd version", "InfluxDB v1"),
    Program("etcd", "etcd --version && etcdctl version", "etcdctl version: 3"),
    Program("mosquitto", MOSQUITTO, "mosquitto version 2"),
    Program("nats-server", NATS, "PONG"),
    Program("beanstalkd", BEANSTALKD, "current-jobs-ready: 0"),
    Program("gearmand", GEARMAND, "OK 1."),
    Program("rabbitmq-server", RABBITMQ, "3.10"),
    Program("kcat", "kcat -V", "kcat - Apache Kafka"),
    Program("freetds", "tsql -C", "freetds v1"),
    Program("sqlcipher", "echo 'select 6 * 7;' | sqlcipher", "42"),
    Program("openldap", SLAPD, "o: from slapd"),
    # Watching.
    Program("prometheus", PROMETHEUS, "SUCCESS: c.yml is valid"),
    Program("prometheus-node-exporter", NODE_EXPORTER, "node_load1 "),
    Program("prometheus-alertmanager", "prometheus-alertmanager --version 2>&1", "alertmanager, version"),
    Program("prometheus-blackbox-exporter", "prometheus-blackbox-exporter --version 2>&1", "version 0."),
    Program("collectd", "collectd -h", "collectd 5."),
    Program("zabbix", "zabbix_agentd -V", "Zabbix) 6"),
    Program("monitoring-plugins", "${PATH%/bin}/lib/nagios/plugins/check_dummy 0 fine", "OK: fine"),
    Program("rsyslog", "echo '*.* /tmp/log' > c; rsyslogd -N1 -f /tmp/c 2>&1", "End of config validation"),
    Program("syslog-ng", "syslog-ng --version", "syslog-ng 3"),
    Program("monit", "monit -V", "This is Monit version"),
    Program("lnav", "HOME=/tmp lnav -V", "lnav 0"),
    # Names.
    Program("bind", BIND, "192.0.2.42"),
    Program("dnsmasq", "dnsmasq --test 2>&1; dnsmasq -v", "Dnsmasq version"),
    Program("unbound", UNBOUND, "no errors in c"),
    Program("nsd", "nsd -v 2>&1", "NSD version"),
    Program("knot-dns", "knotd -V", "Knot DNS"),
    Program("pdns", "pdns_server --version 2>&1", "PowerDNS Authoritative Server"),
    Program("ldns", "drill -v", "drill version"),
    Program("whois", "whois --version", "Version 5"),
    Program("avahi", "avahi-daemon --version", "avahi-daemon 0"),
    # Shells afar and private networks.
    Program("openssh", SSHD, "SSH-2.0-OpenSSH_"),
    Program("dropbear", "dropbear -V 2>&1", "Dropbear v20"),
    Program("mosh", "mosh --version", "mosh 1."),
    Program("autossh", "autossh -V", "autossh 1."),
    Program("sshpass", "sshpass -p x /bin/sh -c 'echo below'", "below"),
    Program("sshfs", "sshfs --version", "SSHFS version"),
    Program("wireguard-tools", "k=$(wg genkey); echo ${#k}; wg --version", "44"),
    Program("openvpn", "openvpn --version", "OpenVPN 2"),
    Program("strongswan", "echo > c; STRONGSWAN_CONF=/tmp/c swanctl --version", "strongSwan 5"),
    Program("tinc", "tincd --version", "tinc version"),
    # Files and mail.
    Program("samba", SAMBA, "workgroup = W"),
    Program("vsftpd", "vsftpd -v 0>&1", "vsftpd: version 3"),
    Program("tftp-hpa", "tftp -V", "tftp-hpa 5"),
    Program("lftp", "HOME=/tmp lftp -c 'lpwd; version'", "LFTP | Version"),
    Program("ncftp", "HOME=/tmp ncftp --version 2>&1", "NcFTP"),
    Program("aria2", "aria2c -v", "aria2 version"),
    Program("axel", "axel -V", "Axel 2"),
    Program("s3cmd", "HOME=/tmp s3cmd --version", "s3cmd version"),
    Program("awscli", "HOME=/tmp aws --version 2>&1", "aws-cli/"),
    Program("postfix", "postconf -d mail_version", "mail_version = 3"),
    Program("dovecot", "dovecot --version", "2.3"),
    Program("opendkim", "opendkim -V", "OpenDKIM Filter"),
    Program("rspamd", "rspamd --version", "Rspamd daemon version"),
    Program("msmtp", "msmtp --version", "msmtp version"),
    Program("s-nail", "s-nail --version", "s-nail"),
    Program("mutt", "HOME=/tmp TERM=xterm mutt -v", "Mutt 2"),
    Program("neomutt", "HOME=/tmp TERM=xterm neomutt -v", "NeoMutt 20"),
    Program("fetchmail", "HOME=/tmp fetchmail --version", "fetchmail release"),
    Program("isync", "HOME=/tmp mbsync --version", "isync 1"),
    Program("radicale", "radicale --version", "3."),
    Program("irssi", "HOME=/tmp TERM=xterm irssi --version", "irssi 1"),
    Program("weechat", "HOME=/tmp TERM=xterm weechat --version", "3."),
    Program("znc", "znc --version", "ZNC 1"),
    Program("coturn", "turnserver --version 2>&1", "4."),
    # Looking at networks.
    Program("lynx", "HOME=/tmp TERM=xterm lynx -dump -nolist file:///etc/passwd", "root:x:0:0"),
    Program("w3m", "echo '<b>x</b>' | HOME=/tmp TERM=xterm w3m -dump -T text/html", "x"),
    Program("nmap", "nmap -Pn -sT -p 1 127.0.0.1; ncat --version", "1/tcp closed"),
    Program("tcpdump", "tcpdump --version 2>&1; tcpdump -d tcp", "libpcap version"),
    Program("tshark", "HOME=/tmp tshark --version 2>&1", "TShark (Wireshark) 4"),
    Program("ngrep", "ngrep -V", "ngrep: V1"),
    Program("iperf3", "iperf3 -s -1 -D; iperf3 -c 127.0.0.1 -n 1K 2>&1; iperf3 -v", "iperf 3"),
    Program("iperf", "iperf -v 2>&1", "iperf version 2"),
    Program("fping", "fping -v; fping -h", "Usage: fping"),
    Program("arping", "arping --help 2>&1", "ARPing 2"),
    Program("hping", "hping3 -v 2>&1", "hping3 version"),
    Program("mtr", "mtr --version", "mtr 0"),
    Program("traceroute", "traceroute --version 2>&1", "traceroute for Linux"),
    Program(
        "inetutils", "ping --version && hostname --version && telnet --version", "telnet (GNU inetutils)"
    ),
    Program("sslscan", "sslscan --version", "OpenSSL"),
    Program("ethtool", "ethtool --version", "ethtool version"),
    Program("bridge-utils", "brctl --version 2>&1", "bridge-utils"),
    Program("iw", "iw --version", "iw version"),
    Program("wpa_supplicant", "wpa_supplicant -v", "wpa_supplicant v2"),
    Program("nethogs", "nethogs -V", "version 0"),
    Program("iftop", "TERM=xterm iftop -h", "iftop, version"),
    Program("nftables", "nft --version", "nftables v1"),
    Program("ipset", "ipset version 2>&1", "ipset v7"),
    Program("conntrack-tools", "conntrack -V", "conntrack v1"),
    Program("ebtables", "ebtables --version", "ebtables v2"),
    Program("keepalived", "keepalived -v 2>&1", "Keepalived v2"),
    Program("bird", "echo 'protocol device {}' > c; bird -p -c c && bird --version 2>&1", "BIRD version 2"),
    Program("chrony", "chronyd -v; chronyc -v", "chronyd (chrony) version 4"),
    Program("fail2ban", "fail2ban-server --version", "0."),
    Program("certbot", "HOME=/tmp certbot --version", "certbot 2"),
    Program("lego", "lego --version", "lego version"),
    Program("rpcbind", "rpcbind -h 2>&1", "usage: rpcbind"),
    Program("nfs-utils", "mount.nfs -V", "mount.nfs: (linux nfs-utils"),
    Program("cifs-utils", "mount.cifs -V", "mount.cifs version"),
    Program("supervisor", SUPERVISOR, "spawned: 'a'"),
)
