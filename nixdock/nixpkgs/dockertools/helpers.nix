# Small things that images often lack: who root is, where env and sh are, whom to trust.
{ lib, pkgs, busyboxCommand }:

rec {
  # /etc/passwd, /etc/group and /etc/nsswitch.conf for root and nobody.
  fakeNss = lib.makeOverridable (
    { extraPasswdLines ? [ ], extraGroupLines ? [ ] }:
    busyboxCommand "fake-nss"
      {
        passwd = lib.concatLines (
          [ "root:x:0:0:root user:/var/empty:/bin/sh" ] ++ extraPasswdLines
          ++ [ "nobody:x:65534:65534:nobody:/var/empty:/bin/sh" ]);
        group = lib.concatLines ([ "root:x:0:" ] ++ extraGroupLines ++ [ "nobody:x:65534:" ]);
        # Without it the C library would ask the network before /etc/hosts.
        nsswitch = "hosts: files dns\n";
        passAsFile = [ "passwd" "group" "nsswitch" ];
        meta.description = "What a C library must know of users in an image that has none";
      }
      ''
        mkdir -p $out/etc $out/var/empty
        cp $passwdPath $out/etc/passwd
        cp $groupPath $out/etc/group
        cp $nsswitchPath $out/etc/nsswitch.conf
      ''
  ) { };

  # /usr/bin/env
  usrBinEnv = busyboxCommand "usr-bin-env" { env = "${pkgs.coreutils}/bin/env"; } ''
    mkdir -p $out/usr/bin
    ln -s $env $out/usr/bin/env
  '';

  # /bin/sh, which is bash
  binSh = busyboxCommand "bin-sh" { bash = "${pkgs.bashInteractive}/bin/bash"; } ''
    mkdir -p $out/bin
    ln -s $bash $out/bin/sh
  '';

  # The certificates of authorities, in the places where programs look.
  caCertificates = busyboxCommand "ca-certificates" { bundle = "${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt"; } ''
    mkdir -p $out/etc/ssl/certs $out/etc/pki/tls/certs
    ln -s $bundle $out/etc/ssl/certs/ca-bundle.crt
    ln -s $bundle $out/etc/ssl/certs/ca-certificates.crt
    ln -s $bundle $out/etc/pki/tls/certs/ca-bundle.crt
    # Where OpenSSL itself looks, and with it Python and Node.js.
    ln -s $bundle $out/etc/ssl/cert.pem
  '';

  # Shell text for runAsRoot, or for fakeRootCommands with enableFakechroot: the files that useradd and
  # groupadd want, and those programs on the PATH.
  shadowSetup = ''
    export PATH=${pkgs.shadow}/bin:$PATH
    mkdir -p /etc/pam.d
    if [ ! -f /etc/passwd ]; then
      echo "root:x:0:0::/root:${pkgs.runtimeShell}" > /etc/passwd
      echo "root:!x:::::::" > /etc/shadow
    fi
    if [ ! -f /etc/group ]; then
      echo "root:x:0:" > /etc/group
      echo "root:x::" > /etc/gshadow
    fi
    if [ ! -f /etc/pam.d/other ]; then
      printf '%s\n' \
        'account sufficient pam_unix.so' \
        'auth sufficient pam_rootok.so' \
        'password requisite pam_unix.so nullok yescrypt' \
        'session required pam_unix.so' > /etc/pam.d/other
    fi
    if [ ! -f /etc/login.defs ]; then
      touch /etc/login.defs
    fi
  '';

  # A script of bash that ends at the first failure.
  shellScript = name: text: pkgs.writeScript name ''
    #!${pkgs.runtimeShell}
    set -e
    ${text}
  '';
}
