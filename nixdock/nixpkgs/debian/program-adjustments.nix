# What programs lack as store paths, by unit; the fields are those of adjustments.nix.
{ lib, unit, either }:

let
  # Its own files, and those of other units that it looks for below /usr, too.
  own = { places."/usr" = [ "$out" ]; };
  with' = others: { places."/usr" = [ "$out" ] ++ map (name: "${unit name}") others; };
  libraries = { libraries = true; };
  etc = folder: etcs [ folder ];
  etcs = folders: {
    last = lib.listToAttrs (map (name: lib.nameValuePair "/etc/${name}" [ "$out/share/etc/${name}" ]) folders);
  };

  bins = names: lib.concatMapStringsSep ":" (name: "${unit name}/bin") names;

  # What its scripts start by way of PATH: behind what is there.
  onPath = names: ''
    path=$out/bin:${bins names}
    for file in $(for one in bin/*; do readlink -f $one; done | grep "^$out/" | sort -u); do
      case $(head -n 1 $file | tr -d '\0') in
        '#!'*/python3*) line="import os; os.environ['PATH'] = os.environ.get('PATH', '/bin') + ':$path'" ;;
        '#!'*/perl*) line="BEGIN { \$ENV{PATH} = (\$ENV{PATH} || '/bin') . ':$path' }" ;;
        '#!'*/bash*|'#!'*/sh*) line="PATH=\''${PATH:-/bin}:$path" ;;
        *) continue ;;
      esac
      chmod u+w $file
      sed -i "1a $line" $file
    done
  '';

  # A program that no guide can be given, started by a script that sets its variables.
  wrapped = program: names: ''
    mv bin/${program} bin/.${program}-wrapped
    cat > bin/${program} <<END
    #!${unit "bash"}/bin/bash
    PATH=\''${PATH:-/bin}:${bins names}
    export PATH
    exec -a "\$0" $out/bin/.${program}-wrapped "\$@"
    END
    sed -i 's/^ *//' bin/${program}
    chmod 755 bin/${program}
  '';

  tcl = {
    guide.places."/usr/share/tcltk" = [ "${unit "libtcl8.6"}/share/tcltk" ];
  };

  # What was compiled of a Python file that is changed afterwards.
  forget = file: "rm -f ${builtins.dirOf file}/__pycache__/${lib.removeSuffix ".py" (baseNameOf file)}.*.pyc";

  # Its bindings load a part of OpenSSL that is looked for at Debian's place. What is told stands before the first
  # import, and behind those of `__future__`.
  opensslModules = file: ''
    modules=$(echo ${either [ "libssl3t64" "libssl3" ]}/lib/*-linux-gnu/ossl-modules)
    place=$(grep -nE '^(import|from [^_])' ${file} | head -n 1 | cut -d : -f 1)
    chmod u+w ${file}
    sed -i "''${place}i import os; os.environ.setdefault('OPENSSL_MODULES', '$modules')" ${file}
    ${forget file}
  '';
in
{
  # It wants UTF-8, whatever the locale of the image.
  ansible-core.finish = ''
    line="import os; os.environ.setdefault('LOCPATH', '${unit "libc-bin"}/lib/locale')"
    line="$line; os.environ.setdefault('LC_ALL', 'C.UTF-8')"
    for file in $(find bin -type f); do
      chmod u+w $file
      sed -i "1a $line" $file
    done
  '';
  apache2 = {
    links."bin/httpd" = "bin/apache2";
    links.modules = "lib/apache2/modules";
    drop = [ "bin/a2*" "bin/dbmmanage" "bin/split-logfile" "bin/check_forensic" ];
    guide = own // etc "apache2";
  };
  bash-static.links = { "bin/bash" = "bin/bash-static"; "bin/sh" = "bin/bash-static"; };
  bat.links."bin/bat" = "bin/batcat";
  bats.finish = onPath [ "coreutils" "findutils" "gawk" "grep" "sed" ];
  ccze.guide = own // libraries // etc "cczerc";
  dbus.guide = own // etc "dbus-1";
  debootstrap.finish = onPath [ "coreutils" "dpkg" "gawk" "grep" "gzip" "perl" "sed" "tar" "wget" "xz-utils" ];
  direnv.finish = wrapped "direnv" [ "bash" ];
  elixir.finish = onPath [ "coreutils" "erlang-base" "sed" ];
  expect = tcl;
  fd-find.links."bin/fd" = "bin/fdfind";
  fish.guide = own // etc "fish";
  gdb = {
    guide = with' [ "python3" ] // libraries // etc "gdb";
    note = "without the part of it that is written in Python";
  };
  ghostscript.guide = {
    places."/usr" = map (name: "${unit name}") (
      if lib.hasPrefix "10.00" (unit "ghostscript").version then [ "libgs-common" "fonts-urw-base35" "poppler-data" ]
      else [ "libgs-common" "libgs10-common" "fonts-urw-base35" "poppler-data" ]);
    last."/var/lib/ghostscript" = [ "${unit "libgs-common"}/share/var/lib/ghostscript" ];
  };
  gnupg.guide = own;
  # It keeps a list of its plugins, which it makes itself.
  graphviz.finish = "bin/dot -c || rm -f lib/*/graphviz/config6a";
  groff-base.guide = own // etc "groff" // { suffix.PATH = [ "$out/bin" ]; };
  imagemagick = {
    guide = own // libraries // etcs [ "ImageMagick-6" "ImageMagick-7" ];
    finish = ''
      for file in bin/*-im[67].q16*; do
        name=''${file##*/}
        [ -e bin/''${name%-im*} ] || ln -s $name bin/''${name%-im*}
      done
    '';
  };
  inetutils-telnet.links = lib.genAttrs' [ "dnsdomainname" "hostname" "ifconfig" "logger" ]
    (name: lib.nameValuePair "bin/${name}" "bin/inetutils-${name}");
  lighttpd.guide = own // libraries // etc "lighttpd";
  lynx.guide = {
    places."/usr" = [ "$out" "${unit "lynx-common"}" ];
    last."/etc/lynx" = [ "${unit "lynx-common"}/share/etc/lynx" ];
  };
  mariadb-server = {
    guide = own // libraries // { last."/etc/mysql" = [ "$out/share/etc/mysql" ]; };
    drop = [ "bin/*hotcopy" "bin/*dumpslow" "bin/*convert[-_]table[-_]format" "bin/*setpermission" "bin/*access"
      "bin/mytop" "bin/*find[-_]rows" "bin/*fix[-_]extensions" "bin/*report" ];
    finish = onPath [ "coreutils" "gawk" "grep" "sed" ];
  };
  mc.guide = own // libraries // etc "mc";
  mosh = {
    needs = [ "perl" ];
    finish = onPath [ "openssh-client" ];
  };
  mpg123.links."bin/mpg123" = "bin/mpg123.bin";
  neovim.guide = with' [ "neovim-runtime" ] // libraries;
  nmap.guide = own // libraries;
  openssh-client.etc = "nixpkgs' openssh has /etc/ssh, too";
  openssh-client.guide = {
    # Where sshd puts those who are not known yet; nixpkgs' has the empty folder of its users for that.
    places."/run/sshd" = [ "/var/empty" ];
    places."/usr/lib/openssh" = [ "$out/lib/openssh" ];
    places."/usr/bin" = [ "$out/bin" ];
    last."/etc/ssh" = [ "$out/etc/ssh" ];
  };
  pandoc.guide = with' [ "pandoc-data" ];
  pass.finish = onPath [ "coreutils" "findutils" "gnupg" "grep" "procps" "sed" "tree" "util-linux" ];
  python3-awscrt.finish = opensslModules "lib/python3/dist-packages/awscrt/__init__.py";
  python3-cryptography.finish = opensslModules "lib/python3/dist-packages/cryptography/__init__.py";
  python3-tz.finish =
    let file = "lib/python3/dist-packages/pytz/__init__.py"; in ''
      chmod u+w ${file}
      sed -i "s|/usr/share/zoneinfo|${unit "tzdata"}/share/zoneinfo|g" ${file}
      ${forget file}
    '';
  rsyslog.guide = own // libraries;
  samba.drop = [ "bin/samba-tool" "bin/samba_*" "bin/samba-gpupdate" ];
  slapd.guide = own // libraries // etc "ldap";
  "tcl8.6" = tcl;
  tesseract-ocr.guide = own;
  tinyproxy-bin.guide = own;
  toilet.guide = with' [ "toilet-fonts" ];
  universal-ctags.guide.suffix.PATH = [ "${unit "coreutils"}/bin" ];
  valgrind = {
    finish = "sed -i '1a export VALGRIND_LIB=\${VALGRIND_LIB:-'$out'/libexec/valgrind}' bin/valgrind";
    note = "its tools want the symbols of the C library's loader, which Debian has in a package of their own";
  };
  visidata.needs = [ "python3-pkg-resources" ];
  wdiff.guide.suffix.PATH = [ "${unit "diffutils"}/bin" ];
  xvfb = {
    # It starts the compiler of keyboards by a shell: by way of PATH, where no folder is named.
    strings."bin/Xvfb"."/usr/bin" = "";
    guide = with' [ "xkb-data" ] // { suffix.PATH = [ "${unit "x11-xkb-utils"}/bin" ]; };
  };
  x11-xkb-utils.guide.places."/usr/share/X11" = [ "${unit "xkb-data"}/share/X11" ];
  yq.finish = onPath [ "jq" ];
  zsh.guide = own // libraries // etc "zsh";
}
# What their authors call their programs: node_exporter of prometheus-node-exporter.
// lib.genAttrs
  (map (name: "prometheus-${name}") [
    "alertmanager" "blackbox-exporter" "mysqld-exporter" "node-exporter" "postgres-exporter" "pushgateway"
    "redis-exporter" "snmp-exporter"
  ])
  (name: {
    links."bin/${builtins.replaceStrings [ "-" ] [ "_" ] (lib.removePrefix "prometheus-" name)}" = "bin/${name}";
  })
