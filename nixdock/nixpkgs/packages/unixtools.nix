# Single programs of packages that have many: pkgs.hostname, pkgs.unixtools.ping. Each is a link to the one program.
{ lib, final, ... }:

let
  single = package: program:
    final.linkFarm program { "bin/${program}" = "${lib.getBin package}/bin/${program}"; } // {
      pname = program;
      inherit (package) version;
      meta = package.meta // { mainProgram = program; };
    };

  of = package: names: lib.genAttrs names (single package);

  unixtools =
    of final.nettools [ "arp" "ifconfig" "netstat" "route" ]
    // of final.util-linux [
      "col" "column" "eject" "fdisk" "fsck" "getopt" "hexdump" "logger" "more" "mount" "script" "umount" "wall" "write"
    ]
    // of final.procps [ "ps" "sysctl" "top" "watch" ]
    // of final.getent [ "getconf" "locale" ]
    // of final.iputils [ "ping" ]
    // of final.psmisc [ "killall" ]
    // of final.debian.hostname [ "hostname" ]
    // { inherit (final) getent xxd; };
in
{
  unixtools = unixtools // { recurseForDerivations = true; };
  inherit (unixtools)
    eject getconf hexdump hostname killall locale logger more mount ps sysctl umount wall watch;
}
