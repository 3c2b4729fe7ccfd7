# What Debian's packages lack as store paths, by unit. Without an entry a unit is its packages, patched.
#
#   links    what update-alternatives, a postinst or the essential packages would have made: place = target
#   note     what of it does not work in a store path, for its description
#   needs    packages to refer to that Debian does not name as a dependency
#   without  dependencies that an image does not need
#   drop     patterns of files to leave out
#   etc      why its files of /etc are in `etc` (and so in an image that is given the package) rather than in
#            `share/etc`, as those of all others
#   texts    patterns of files to read as scripts are: what they say of files of the unit is set right
#   strings  strings in programs to replace, by the files' pattern: old = new, never a longer one
#   guide    what programs are told by a library that they are made to load first (builders/guide.c):
#            places (what a path begins with = folders to look below instead), last (the same, for what is
#            not at its place), moves (what a path begins with = what it is to begin with), libraries (whether
#            loaded ones count), env (variables, where not set), prefix and suffix (folders that a search path
#            begins with, or ends in); `$out` is the store path
#   hook     a setup hook: what builds that have it among their inputs read
#   finish   a shell script for what is left, run in the store path by a static busybox
{ lib, builder, unit, either }:

let
  # The C library and the libraries of ncurses look for terminals at one of three places. This store path
  # is short enough to stand in their stead.
  terminfo = derivation {
    name = "t";
    inherit (builder) system;
    allowSubstitutes = false;
    builder = "${builder.bootstrap}/bin/busybox";
    args = [ "sh" "-euc" "cp -r $base/lib/terminfo $out || cp -r $base/share/terminfo $out" ];
    base = unit "ncurses-base";
  };

  # Debian's PHP has the time zones of the system.
  php = {
    needs = [ "tzdata" ];
    guide.places."/usr/share/zoneinfo" = [ "${unit "tzdata"}/share/zoneinfo" ];
  };

  # Where certificates are in an image, rather than where Debian has links to that.
  libssl.strings."lib/*/libcrypto.so.*" = {
    "/usr/lib/ssl/certs" = "/etc/ssl/certs";
    "/usr/lib/ssl/cert.pem" = "/etc/ssl/cert.pem";
  };
  # nixpkgs has the headers of these in `include` itself.
  headersOf = folder: { finish = "cd include; for file in ${folder}/*; do [ -e \${file##*/} ] || ln -s $file .; done"; };
in
import ./program-adjustments.nix { inherit lib unit either; } // {
  # Scripts that name their own parts, and what they call, by absolute paths.
  autoconf = {
    needs = [ "m4" ];
    finish = ''
      sed -i -e "s|/usr/bin/m4|${unit "m4"}/bin/m4|g" -e "s|/usr/bin/auto|$out/bin/auto|g" $(find bin -type f)
      sed -i "s|/usr/share/autoconf|$out/share/autoconf|g" share/autoconf/autom4te.cfg
    '';
  };

  # Its postinst makes the names without a version.
  automake = {
    needs = [ "perl" ];
    hook = ../stdenv/hooks/automake.sh;
    finish = ''
      for file in bin/automake-* bin/aclocal-*; do
        sed -i "s|'/usr/share/aclocal|'$out/share/aclocal|g" $file
        name=$(basename $file)
        [ -e bin/''${name%%-*} ] || ln -s $name bin/''${name%%-*}
      done
      # It ends where this is not there.
      mkdir -p share/aclocal
    '';
  };

  bash.links."bin/sh" = "bin/bash";

  libtinfo6 = {
    needs = [ "ncurses-base" ];
    strings."lib/*/libtinfo.so.*"."/etc/terminfo:/lib/terminfo:/usr/share/terminfo" = "${terminfo}";
  };

  # Programs find these at a path of their own system only.
  libc6 = {
    drop = [ "lib/*/gconv/*" ];
    note = "without the character sets of iconv but for Unicode and ASCII; locales by LOCPATH, not LOCALE_ARCHIVE";
  };

  locales-all.note = "named by LOCPATH; Debian's C library ignores LOCALE_ARCHIVE";

  meson.hook = ../stdenv/hooks/meson.sh;

  nano.note = "syntax colours only with an own nanorc";

  bison = {
    needs = [ "m4" ];
    guide.env = { BISON_PKGDATADIR = "$out/share/bison"; M4 = "${unit "m4"}/bin/m4"; };
  };

  bmake.guide.env.MAKESYSPATH = "$out/share/bmake/mk-bmake";

  # One link for each of its programs, as nixpkgs has it.
  busybox-static.finish = ''
    for path in $(busybox --list); do
      [ -e bin/$path ] || ln -s busybox bin/$path
    done
  '';

  # The bundle that update-ca-certificates makes.
  ca-certificates = {
    drop = [ "bin/*" "etc/*" ];
    finish = ''
      mkdir -p etc/ssl/certs
      for file in share/ca-certificates/mozilla/*.crt; do
        cat $file
        echo
      done > etc/ssl/certs/ca-bundle.crt
      ln -s ca-bundle.crt etc/ssl/certs/ca-certificates.crt
      rmdir bin 2>/dev/null || true
    '';
  };

  cmake.hook = ../stdenv/hooks/cmake.sh;

  cppcheck.guide = { places."/usr" = [ "$out" ]; libraries = true; };

  # A shell script that calls it by way of PATH.
  dejagnu = {
    needs = [ "expect" ];
    finish = ''
      sed -i "1a PATH=\$PATH:${unit "expect"}/bin" bin/runtest
    '';
  };

  dpkg.hook = ../stdenv/hooks/dpkg.sh;

  emacs-nox = {
    guide = { places."/usr" = [ "$out" ]; last."/etc/emacs" = [ "$out/share/etc/emacs" ]; libraries = true; };
    links = {
      "bin/emacs" = "bin/emacs-nox";
      "bin/emacsclient" = "bin/emacsclient.emacs";
      "bin/etags" = "bin/etags.emacs";
      "bin/ebrowse" = "bin/ebrowse.emacs";
    };
  };

  # A shell script that names its parts, and calls others by way of PATH.
  fakeroot = {
    needs = [ "coreutils" "sed" "util-linux" ];
    finish = ''
      for file in bin/fakeroot-*; do
        sed -i -e "s|^FAKEROOT_PREFIX=.*|FAKEROOT_PREFIX=$out|" \
          -e "s|^FAKEROOT_BINDIR=.*|FAKEROOT_BINDIR=$out/bin|" \
          -e "1a PATH=\$PATH:${unit "util-linux"}/bin:${unit "coreutils"}/bin:${unit "sed"}/bin" $file
      done
    '';
  };

  file.guide.places."/usr" = [ "$out" "${either [ "libmagic1t64" "libmagic1" ]}" "${unit "libmagic-mgc"}" ];

  figlet.guide.places."/usr/share/figlet" = [ "$out/share/figlet" ];

  # As nixpkgs' packages have them, too.
  fontconfig-config.etc = "programs look for fonts as /etc/fonts says";
  media-types.etc = "servers look for a file's type in /etc/mime.types";

  flex = {
    needs = [ "m4" ];
    guide.env.M4 = "${unit "m4"}/bin/m4";
  };

  gawk = {
    guide = { places."/usr" = [ "$out" ]; libraries = true; };
  };

  git.guide = {
    places."/usr" = [ "$out" ];
    # Its scripts find each other by this.
    env.GIT_EXEC_PATH = "$out/lib/git-core";
    suffix.PATH = map (name: "${unit name}/bin") [ "coreutils" "gawk" "grep" "sed" ];
  };

  # It finds its library by the link bin/go. What only tests of Go itself read is left out.
  golang-go.drop = [ "*/testdata/*" "share/go-*/test/*" "share/go-*/api/*" ];

  iproute2.guide = { places."/usr" = [ "$out" ]; last."/etc/iproute2" = [ "$out/share/etc/iproute2" ]; };

  libssl3 = libssl;
  libssl3t64 = libssl;

  # Its libraries are those of its library, by links.
  maven.needs = map (name: "lib${name}-java") [
    "aopalliance" "atinject-jsr330-api" "cdi-api" "commons-cli" "commons-io" "commons-lang3" "geronimo-annotation-1.3-spec"
    "guava" "guice" "maven-resolver" "maven-shared-utils" "plexus-cipher" "plexus-classworlds"
    "plexus-component-annotations" "plexus-interpolation" "plexus-sec-dispatcher" "plexus-utils2" "sisu-inject"
    "sisu-plexus" "slf4j" "wagon-provider-api"
  ];

  # The folders of unfinished requests as nixpkgs has them; `conf` is its name, too. nginx knows how long each
  # name is, so that none may be shorter than Debian's: the slashes fill it up, and what has no room is moved.
  nginx = {
    links.conf = "share/etc/nginx";
    strings."bin/nginx" = {
      "/var/lib/nginx/body" = "/tmp/////nginx_body";
      "/var/lib/nginx/proxy" = "/tmp/////nginx_proxy";
      "/var/lib/nginx/fastcgi" = "/tmp/////nginx_fastcgi";
      "/var/lib/nginx/uwsgi" = "/tmp/////nginx_uwsgi";
      "/var/lib/nginx/scgi" = "/tmp/////nginx_scgi";
    };
    guide = {
      places."/usr" = [ "$out" ];
      last."/etc/nginx" = [ "$out/share/etc/nginx" ];
      moves."/tmp/////nginx_body" = "/tmp/nginx_client_body";
    };
  };

  # What programs ask for ports and protocols is nothing but files of /etc.
  netbase.etc = "names of ports and protocols are looked for in /etc";

  ninja-build.hook = ../stdenv/hooks/ninja.sh;

  # Nix wants a name of whoever runs it, which an image without /etc/passwd does not know.
  nix-bin.guide.env.USER = "nobody";

  # It reads parts of itself from there before it can do anything else.
  nodejs.guide.places."/usr" = [ "$out" ];

  # Their modules are found by each other as in a project: in a folder of this name above them.
  npm.finish = "ln -s nodejs share/node_modules";

  # Modules that npm needs too are in its unit.
  yarnpkg = {
    links."bin/yarn" = "bin/yarnpkg";
    finish = ''
      ln -s nodejs share/node_modules
      cd ${unit "npm"}/share/nodejs
      for module in * @*/*; do
        [ -e $out/share/nodejs/$module ] || ln -s $PWD/$module $out/share/nodejs/$module
      done
    '';
  };

  # A script for Perl, which it does without.
  openssl = {
    drop = [ "bin/c_rehash" ];
    guide = {
      places."/usr/lib/ssl" = [ "$out/lib/ssl" ];
      last."/etc/ssl/openssl.cnf" = [ "$out/share/etc/ssl/openssl.cnf" ];
    };
    note = "c_rehash is `openssl rehash`";
  };

  p7zip-full.hook = ../stdenv/hooks/p7zip.sh;

  passwd = {
    needs = [ "libpam-modules" ];
    guide = {
      places."/lib" = [ "${unit "libpam-modules"}/lib" ];
      last."/etc/login.defs" = [ "$out/share/etc/login.defs" ];
      libraries = true;
    };
  };

  perl.guide = { places."/usr" = [ "$out" ]; libraries = true; };

  "php8.2-cli" = php;
  "php8.2-fpm" = php;
  "php8.4-cli" = php;
  "php8.4-fpm" = php;

  postgresql = {
    needs = [ "tzdata" ];
    # The compiler of queries wants more than a hundred megabytes of LLVM.
    drop = [ "lib/postgresql/*/lib/llvmjit*" "lib/postgresql/*/lib/bitcode/*" "share/postgresql/*/man/*" ];
    strings."lib/postgresql/*/bin/postgres"."/var/run/postgresql" = "/run/postgresql";
    guide.places."/usr/share/zoneinfo" = [ "${unit "tzdata"}/share/zoneinfo" ];
    finish = ''
      mkdir -p bin
      for file in lib/postgresql/*/bin/*; do
        ln -s ../$file bin/$(basename $file)
      done
    '';
  };
  libpq-dev = { needs = [ "perl" ]; } // headersOf "postgresql";
  libpq5.strings."lib/*/libpq.so.*"."/var/run/postgresql" = "/run/postgresql";

  # What comes with it is found beside it.
  protobuf-compiler = {
    needs = [ "libprotobuf-dev" ];
    links.include = "${unit "libprotobuf-dev"}/include";
  };

  python3 = {
    links = { "bin/python" = "bin/python3"; "bin/pydoc" = "bin/pydoc3"; };
    # What only says that apt is in charge of this Python.
    drop = [ "lib/python3.*/EXTERNALLY-MANAGED" "lib/python3.*/sitecustomize.py" "etc/python3.*/sitecustomize.py" ];
  };

  scons.hook = ../stdenv/hooks/scons.sh;

  # It finds its library and its gems below the prefix that it was built for.
  ruby.guide = { places."/usr" = [ "$out" ]; libraries = true; };

  skopeo = {
    drop = [ "share/bash-completion/*" ];
    note = "needs --insecure-policy, or an own /etc/containers/policy.json";
  };

  texinfo.finish = ''
    sed -i -e "s|'/usr/share'|'$out/share'|; s|'\"/usr/share\"'|'\"$out/share\"'|" bin/texi2any
  '';

  # It refuses to start where no locale has UTF-8.
  tmux.guide.env.LOCPATH = "${unit "libc-bin"}/lib/locale";

  util-linux.note = "su and login want the modules of PAM at Debian's paths";

  vim = {
    links = {
      "bin/vim" = "bin/vim.basic";
      "bin/vi" = "bin/vim.basic";
      "bin/view" = "bin/vim.basic";
      "bin/ex" = "bin/vim.basic";
      "bin/vimdiff" = "bin/vim.basic";
      "bin/rvim" = "bin/vim.basic";
      "bin/rview" = "bin/vim.basic";
    };
    guide = { places."/usr" = [ "$out" ]; last."/etc/vim" = [ "$out/share/etc/vim" ]; };
  };

  # Tell the compiler where it is: the headers and the loader are not at their absolute paths.
  "g++".finish = ''
    triplet=$(basename $out/lib/gcc/*)
    loader=
    for file in ${unit "libc6"}/lib/$triplet/ld-linux*.so.*; do
      loader=$file
    done
    for folder in $out/lib/gcc/$triplet/*; do
      # A file of specs replaces what is compiled in, so that it must say everything.
      bin/gcc -dumpspecs > specs
      cat >> specs <<END
    *cpp:
    + -idirafter $out/include/$triplet -idirafter $out/include

    *link:
    + %{!static:%{!static-pie:%{!shared:-dynamic-linker $loader}}} -L${unit "libc6"}/lib/$triplet -rpath ${unit "libc6"}/lib/$triplet

    END
      mv specs $folder/specs
    done
    mkdir $out/$triplet
    ln -s ../bin $out/$triplet/bin
  '';

  # What their descriptions, links and headers name besides what Debian says that they need.
  krb5-multidev.needs = [ "libkrb5support0" "libkdb5-10" "libkdb5-10t64" ];
  libext2fs2.needs = [ "libcom-err2" ];
  libext2fs2t64.needs = [ "libcom-err2" ];
  libkrb5-dev.needs = [ "libkrb5support0" "libkdb5-10" "libkdb5-10t64" ];
  libmemcached-dev.needs = [ "libssl-dev" ];
  libtbb-dev.needs = [ "libtbbmalloc2" "libtbbbind-2-5" ];
  libunbound-dev.needs = [ "libevent-dev" "nettle-dev" ];
  libxxf86vm-dev.needs = [ "libxext-dev" ];

  libgdal-dev = headersOf "gdal";
  "liblua5.1-0-dev" = headersOf "lua5.1";
  "liblua5.3-dev" = headersOf "lua5.3";
  "liblua5.4-dev" = headersOf "lua5.4";
  "libluajit-5.1-dev" = headersOf "luajit-2.1";
  "tcl8.6-dev" = headersOf "tcl8.6";
  "tcl9.0-dev" = headersOf "tcl9.0";
  libhdf5-dev.finish = ''
    ln -s hdf5/serial/* include/
    for file in lib/*-linux-gnu*/hdf5/serial/*; do
      ln -s ''${file#lib/} lib/
    done
  '';
}
