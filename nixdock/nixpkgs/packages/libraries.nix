# Libraries under their nixpkgs names, one a line: the Debian package that others are built with. What they are run
# with follows from it (`debian.libraryOf`), where that is not plain it is `lib`. A package that has programs as well
# has them in `bin`: the program of the same name beside this file, where there is one, or the Debian package that is
# named here, and its main program.
#
# Outputs are as in nixpkgs: of a library `out` and `dev`; with programs `bin`, which comes first, `out` and `dev`.
{ lib, debian, programs, ... }:

let
  inherit (debian) either;

  library = name: given:
    let
      spec = if builtins.isAttrs given && !(lib.isDerivation given) then given else { dev = given; };
      parts = map (part: if builtins.isString part then debian.package part else part) (lib.toList spec.dev);
      first = builtins.head parts;
      dev = if builtins.length parts == 1 then first else debian.join "${name}-dev" parts;
      found = if spec ? lib then debian.package spec.lib else debian.libraryOf first.debianName;
      # Headers alone are the library themselves.
      out = if found == null then dev else found;
    in
    if programs ? ${name} then
      programs.${name}.withFacts (_: { main = "bin"; units = { inherit dev out; }; })
    else if spec ? bin then
      (debian.package spec.bin).withFacts (facts: {
        pname = name;
        name = "${name}-${facts.version}";
        main = "bin";
        units = { inherit dev out; };
        meta = facts.meta // { mainProgram = spec.program or spec.bin; };
      })
    else
      out.withFacts (facts: {
        pname = name;
        name = "${name}-${facts.version}";
        units = { inherit dev; };
        meta = removeAttrs facts.meta [ "mainProgram" ];
      });

  libraries = builtins.mapAttrs library table;
  xorg = builtins.mapAttrs library {
    libICE = "libice-dev";
    libpciaccess = "libpciaccess-dev";
    libSM = "libsm-dev";
    libX11 = "libx11-dev";
    libXau = "libxau-dev";
    libXaw = "libxaw7-dev";
    libXcomposite = "libxcomposite-dev";
    libXcursor = "libxcursor-dev";
    libXdamage = "libxdamage-dev";
    libXdmcp = "libxdmcp-dev";
    libXext = "libxext-dev";
    libXfixes = "libxfixes-dev";
    libXft = "libxft-dev";
    libXi = "libxi-dev";
    libXinerama = "libxinerama-dev";
    libxkbfile = "libxkbfile-dev";
    libXmu = "libxmu-dev";
    libXpm = "libxpm-dev";
    libXrandr = "libxrandr-dev";
    libXrender = "libxrender-dev";
    libXres = "libxres-dev";
    libXScrnSaver = "libxss-dev";
    libxshmfence = "libxshmfence-dev";
    libXt = "libxt-dev";
    libXtst = "libxtst-dev";
    libXv = "libxv-dev";
    libXxf86vm = "libxxf86vm-dev";
    xcbutil = "libxcb-util-dev";
    xcbutilcursor = "libxcb-cursor-dev";
    xcbutilimage = "libxcb-image0-dev";
    xcbutilkeysyms = "libxcb-keysyms1-dev";
    xcbutilrenderutil = "libxcb-render-util0-dev";
    xcbutilwm = "libxcb-icccm4-dev";
    xorgproto = "x11proto-dev";
  };

  table = {
    abseil-cpp = "libabsl-dev";
    acl = "libacl1-dev";
    alsa-lib = "libasound2-dev";
    apr = "libapr1-dev";
    aprutil = "libaprutil1-dev";
    argon2 = { dev = "libargon2-dev"; bin = "argon2"; };
    assimp = "libassimp-dev";
    at-spi2-atk = "libatk-bridge2.0-dev";
    at-spi2-core = "libatspi2.0-dev";
    atk = "libatk1.0-dev";
    attr = "libattr1-dev";
    audit = "libaudit-dev";
    avahi = "libavahi-client-dev";
    blas = "libblas-dev";
    boost = map (part: "libboost${part}-dev") [
      "" "-atomic" "-chrono" "-container" "-context" "-coroutine" "-date-time" "-filesystem" "-graph" "-iostreams"
      "-locale" "-log" "-math" "-program-options" "-random" "-regex" "-serialization" "-system" "-test" "-thread"
      "-timer" "-wave"
    ];
    brotli = "libbrotli-dev";
    bzip2 = "libbz2-dev";
    c-ares = "libc-ares-dev";
    c-blosc = "libblosc-dev";
    cairo = "libcairo2-dev";
    capnproto = { dev = "libcapnp-dev"; bin = "capnproto"; program = "capnp"; };
    catch2 = "catch2";
    cereal = "libcereal-dev";
    check = "check";
    cjson = "libcjson-dev";
    cli11 = "libcli11-dev";
    cmocka = "libcmocka-dev";
    cpprestsdk = "libcpprest-dev";
    cppzmq = "cppzmq-dev";
    cryptopp = "libcrypto++-dev";
    cryptsetup = "libcryptsetup-dev";
    cups = "libcups2-dev";
    curl = "libcurl4-openssl-dev";
    cyrus_sasl = "libsasl2-dev";
    czmq = "libczmq-dev";
    dav1d = { dev = "libdav1d-dev"; bin = "dav1d"; };
    db = { dev = "libdb-dev"; bin = "db-util"; };
    dbus = "libdbus-1-dev";
    double-conversion = "libdouble-conversion-dev";
    e2fsprogs = [ "libext2fs-dev" "comerr-dev" ];
    eigen = "libeigen3-dev";
    elfutils = { dev = [ "libdw-dev" "libelf-dev" ]; bin = "elfutils"; program = "eu-readelf"; };
    expat = { dev = "libexpat1-dev"; bin = "expat"; program = "xmlwf"; };
    fcgi = "libfcgi-dev";
    ffmpeg = {
      dev = map (part: "lib${part}-dev")
        [ "avcodec" "avdevice" "avfilter" "avformat" "avutil" "postproc" "swresample" "swscale" ];
      bin = "ffmpeg";
    };
    fftw = { dev = "libfftw3-dev"; lib = "libfftw3-double3"; };
    file = "libmagic-dev";
    flac = "libflac-dev";
    flatbuffers = { dev = "libflatbuffers-dev"; bin = "flatbuffers-compiler"; program = "flatc"; };
    fmt = "libfmt-dev";
    fontconfig = "libfontconfig-dev";
    freeglut = "freeglut3-dev";
    freetds = "freetds-dev";
    freetype = "libfreetype-dev";
    fribidi = "libfribidi-dev";
    fuse = "libfuse-dev";
    fuse3 = "libfuse3-dev";
    gd = { dev = "libgd-dev"; bin = "libgd-tools"; program = "pngtogd"; };
    gdal = { dev = "libgdal-dev"; bin = "gdal-bin"; program = "gdalinfo"; };
    gdbm = { dev = "libgdbm-dev"; bin = "gdbmtool"; };
    gdk-pixbuf = { dev = "libgdk-pixbuf-2.0-dev"; bin = "libgdk-pixbuf2.0-bin"; program = "gdk-pixbuf-csource"; };
    geos = "libgeos-dev";
    gflags = "libgflags-dev";
    giflib = { dev = "libgif-dev"; bin = "giflib-tools"; program = "giftext"; };
    glew = "libglew-dev";
    glfw = "libglfw3-dev";
    glib = { dev = "libglib2.0-dev"; bin = "libglib2.0-bin"; program = "gio"; };
    glibmm = "libglibmm-2.4-dev";
    glm = "libglm-dev";
    glog = "libgoogle-glog-dev";
    gmock = "libgmock-dev";
    gmp = "libgmp-dev";
    gnutls = "libgnutls28-dev";
    gobject-introspection = { dev = "libgirepository1.0-dev"; bin = "gobject-introspection"; };
    gperftools = { dev = "libgoogle-perftools-dev"; bin = "google-perftools"; program = "google-pprof"; };
    gpgme = "libgpgme-dev";
    graphicsmagick = "libgraphicsmagick1-dev";
    graphite2 = "libgraphite2-dev";
    grpc = "libgrpc++-dev";
    gsl = { dev = "libgsl-dev"; bin = "gsl-bin"; program = "gsl-histogram"; };
    gtest = [ "libgtest-dev" "libgmock-dev" ];
    gtk2 = "libgtk2.0-dev";
    gtk3 = "libgtk-3-dev";
    gtk4 = "libgtk-4-dev";
    harfbuzz = { dev = "libharfbuzz-dev"; bin = "libharfbuzz-bin"; program = "hb-view"; };
    hdf5 = { dev = "libhdf5-dev"; bin = "hdf5-tools"; program = "h5dump"; };
    hiredis = "libhiredis-dev";
    http-parser = "libhttp-parser-dev";
    icu = { dev = "libicu-dev"; bin = "icu-devtools"; program = "uconv"; };
    imagemagick = [ "libmagickwand-dev" "libmagick++-dev" ];
    imlib2 = "libimlib2-dev";
    iptables = "libxtables-dev";
    jansson = "libjansson-dev";
    jemalloc = "libjemalloc-dev";
    json-glib = "libjson-glib-dev";
    json_c = "libjson-c-dev";
    jsoncpp = "libjsoncpp-dev";
    keyutils = { dev = "libkeyutils-dev"; bin = "keyutils"; program = "keyctl"; };
    kmod = "libkmod-dev";
    krb5 = { dev = "libkrb5-dev"; lib = "libkrb5-3"; bin = "krb5-user"; program = "kinit"; };
    lame = "libmp3lame-dev";
    lapack = [ "liblapack-dev" "liblapacke-dev" ];
    lcms2 = { dev = "liblcms2-dev"; bin = "liblcms2-utils"; program = "jpgicc"; };
    leptonica = { dev = "libleptonica-dev"; bin = "leptonica-progs"; program = "convertformat"; };
    leveldb = "libleveldb-dev";
    libaio = "libaio-dev";
    libarchive = { dev = "libarchive-dev"; bin = "libarchive-tools"; program = "bsdtar"; };
    libass = "libass-dev";
    libavif = "libavif-dev";
    libbpf = "libbpf-dev";
    libbsd = "libbsd-dev";
    libcap = "libcap-dev";
    libcap_ng = "libcap-ng-dev";
    libconfig = "libconfig-dev";
    libdeflate = "libdeflate-dev";
    libdrm = "libdrm-dev";
    libedit = "libedit-dev";
    libelf = "libelf-dev";
    libepoxy = "libepoxy-dev";
    libev = "libev-dev";
    libevent = "libevent-dev";
    libffi = "libffi-dev";
    libfido2 = { dev = "libfido2-dev"; bin = "fido2-tools"; program = "fido2-token"; };
    libgcrypt = "libgcrypt20-dev";
    libgit2 = "libgit2-dev";
    libGL = [ "libgl-dev" "libegl-dev" "libgles-dev" "libopengl-dev" ];
    libGLU = "libglu1-mesa-dev";
    libgpg-error = "libgpg-error-dev";
    libheif = "libheif-dev";
    libidn = "libidn-dev";
    libidn2 = { dev = "libidn2-dev"; bin = "idn2"; };
    libinput = "libinput-dev";
    libjpeg = { dev = "libjpeg-dev"; bin = "libjpeg-turbo-progs"; program = "cjpeg"; };
    libmaxminddb = { dev = "libmaxminddb-dev"; bin = "mmdb-bin"; program = "mmdblookup"; };
    libmemcached = "libmemcached-dev";
    libmicrohttpd = "libmicrohttpd-dev";
    libmnl = "libmnl-dev";
    libmpc = "libmpc-dev";
    libmysqlclient = "default-libmysqlclient-dev";
    libnet = "libnet1-dev";
    libnl = [ "libnl-3-dev" "libnl-genl-3-dev" "libnl-route-3-dev" ];
    libnotify = "libnotify-dev";
    libogg = "libogg-dev";
    libopus = "libopus-dev";
    libpcap = "libpcap-dev";
    libpng = "libpng-dev";
    libpq = "libpq-dev";
    libpqxx = "libpqxx-dev";
    libpsl = { dev = "libpsl-dev"; bin = "psl"; };
    libpulseaudio = "libpulse-dev";
    librdkafka = "librdkafka-dev";
    librsvg = "librsvg2-dev";
    libsamplerate = "libsamplerate0-dev";
    libsass = "libsass-dev";
    libseccomp = "libseccomp-dev";
    libsecret = "libsecret-1-dev";
    libselinux = "libselinux1-dev";
    libsepol = "libsepol-dev";
    libsigcxx = "libsigc++-2.0-dev";
    libsndfile = { dev = "libsndfile1-dev"; bin = "sndfile-programs"; program = "sndfile-info"; };
    libsodium = "libsodium-dev";
    libsoup = "libsoup2.4-dev";
    libsoup_3 = "libsoup-3.0-dev";
    libssh = "libssh-dev";
    libssh2 = "libssh2-1-dev";
    libtasn1 = "libtasn1-6-dev";
    libtheora = "libtheora-dev";
    libtiff = { dev = "libtiff-dev"; bin = "libtiff-tools"; program = "tiffinfo"; };
    libtool = { dev = "libltdl-dev"; bin = "libtool"; program = "libtoolize"; };
    libunistring = "libunistring-dev";
    libunwind = "libunwind-dev";
    liburcu = "liburcu-dev";
    liburing = "liburing-dev";
    libusb1 = "libusb-1.0-0-dev";
    libuuid = "uuid-dev";
    libuv = "libuv1-dev";
    libva = "libva-dev";
    libvirt = "libvirt-dev";
    libvncserver = "libvncserver-dev";
    libvorbis = "libvorbis-dev";
    libvpx = "libvpx-dev";
    libwebp = "libwebp-dev";
    libwebsockets = "libwebsockets-dev";
    libxcb = map (part: "libxcb${part}-dev") [
      "1" "-dri2-0" "-dri3" "-glx0" "-present" "-randr0" "-render0" "-shape0" "-shm0" "-sync" "-xfixes0"
      "-xinerama0" "-xkb" "-xinput"
    ];
    libxkbcommon = "libxkbcommon-dev";
    libxml2 = { dev = "libxml2-dev"; bin = "libxml2-utils"; program = "xmllint"; };
    libxslt = { dev = "libxslt1-dev"; bin = "xsltproc"; };
    libyaml = "libyaml-dev";
    libzip = { dev = "libzip-dev"; bin = "ziptool"; };
    lmdb = { dev = "liblmdb-dev"; bin = "lmdb-utils"; program = "mdb_stat"; };
    lua5_1 = { dev = "liblua5.1-0-dev"; bin = "lua5.1"; };
    lua5_4 = { dev = "liblua5.4-dev"; bin = "lua5.4"; };
    luajit = { dev = "libluajit-5.1-dev"; bin = "luajit"; };
    lz4 = "liblz4-dev";
    lzo = "liblzo2-dev";
    mariadb-connector-c = "libmariadb-dev";
    mbedtls = "libmbedtls-dev";
    mesa = [ "libgbm-dev" "libegl1-mesa-dev" "libgl1-mesa-dev" ];
    mimalloc = "libmimalloc-dev";
    minizip = "libminizip-dev";
    mosquitto = "libmosquitto-dev";
    mpfr = "libmpfr-dev";
    msgpack = "libmsgpack-dev";
    nanomsg = "libnanomsg-dev";
    ncurses = "libncurses-dev";
    netcdf = { dev = "libnetcdf-dev"; bin = "netcdf-bin"; program = "ncdump"; };
    nettle = { dev = "nettle-dev"; bin = "nettle-bin"; program = "nettle-hash"; };
    nghttp2 = "libnghttp2-dev";
    nlohmann_json = "nlohmann-json3-dev";
    nspr = "libnspr4-dev";
    nss = "libnss3-dev";
    numactl = "libnuma-dev";
    oniguruma = "libonig-dev";
    openal = "libopenal-dev";
    openblas = "libopenblas-dev";
    opencv = "libopencv-dev";
    openjpeg = { dev = "libopenjp2-7-dev"; bin = "libopenjp2-tools"; program = "opj_compress"; };
    openldap = "libldap-dev";
    openssl = { dev = "libssl-dev"; bin = "openssl"; };
    p11-kit = "libp11-kit-dev";
    pam = "libpam0g-dev";
    pango = { dev = "libpango1.0-dev"; bin = "pango1.0-tools"; program = "pango-view"; };
    pciutils = "libpci-dev";
    pcre = "libpcre3-dev";
    pcre2 = { dev = "libpcre2-dev"; bin = "pcre2-utils"; program = "pcre2test"; };
    pixman = "libpixman-1-dev";
    polkit = "libpolkit-gobject-1-dev";
    poppler = [ "libpoppler-dev" "libpoppler-cpp-dev" "libpoppler-glib-dev" ];
    popt = "libpopt-dev";
    postgresql = "libpq-dev";
    procps = either [ "libproc2-dev" ];
    proj = { dev = "libproj-dev"; bin = "proj-bin"; program = "proj"; };
    protobuf = { dev = [ "libprotobuf-dev" "libprotoc-dev" ]; bin = "protobuf-compiler"; program = "protoc"; };
    protobufc = { dev = "libprotobuf-c-dev"; bin = "protobuf-c-compiler"; program = "protoc-c"; };
    pugixml = "libpugixml-dev";
    qhull = "libqhull-dev";
    qrencode = { dev = "libqrencode-dev"; bin = "qrencode"; };
    rabbitmq-c = "librabbitmq-dev";
    range-v3 = "librange-v3-dev";
    rapidjson = "rapidjson-dev";
    re2 = "libre2-dev";
    readline = "libreadline-dev";
    rocksdb = "librocksdb-dev";
    rtmpdump = { dev = "librtmp-dev"; bin = "rtmpdump"; };
    SDL2 = "libsdl2-dev";
    SDL2_image = "libsdl2-image-dev";
    SDL2_mixer = "libsdl2-mixer-dev";
    SDL2_net = "libsdl2-net-dev";
    SDL2_ttf = "libsdl2-ttf-dev";
    simdjson = "libsimdjson-dev";
    snappy = "libsnappy-dev";
    spdlog = "libspdlog-dev";
    speex = { dev = "libspeex-dev"; bin = "speex"; program = "speexenc"; };
    sqlite = { dev = "libsqlite3-dev"; bin = "sqlite3"; };
    systemdLibs = [ "libsystemd-dev" "libudev-dev" ];
    taglib = "libtag1-dev";
    tbb = "libtbb-dev";
    tcl = [ (either [ "tcl8.6-dev" "tcl9.0-dev" ]) "tcl-dev" ];
    tesseract = "libtesseract-dev";
    thrift = { dev = "libthrift-dev"; bin = "thrift-compiler"; program = "thrift"; };
    tinyxml-2 = "libtinyxml2-dev";
    tk = { dev = [ (either [ "tk8.6-dev" "tk9.0-dev" ]) "tk-dev" "tcl-dev" ]; bin = "tk"; program = "wish"; };
    unbound = "libunbound-dev";
    unixODBC = { dev = "unixodbc-dev"; lib = "libodbc2"; };
    uriparser = "liburiparser-dev";
    utf8proc = "libutf8proc-dev";
    uthash = "uthash-dev";
    util-linux = [ "libmount-dev" "libblkid-dev" "uuid-dev" ];
    vips = "libvips-dev";
    vulkan-loader = "libvulkan-dev";
    wayland = {
      dev = "libwayland-dev"; lib = "libwayland-client0"; bin = "libwayland-bin"; program = "wayland-scanner";
    };
    wayland-protocols = "wayland-protocols";
    x264 = "libx264-dev";
    x265 = "libx265-dev";
    xerces-c = "libxerces-c-dev";
    xxHash = { dev = "libxxhash-dev"; bin = "xxhash"; program = "xxhsum"; };
    xz = "liblzma-dev";
    yajl = { dev = "libyajl-dev"; bin = "yajl-tools"; program = "json_reformat"; };
    yaml-cpp = "libyaml-cpp-dev";
    zeromq = "libzmq3-dev";
    zlib = "zlib1g-dev";
    zstd = "libzstd-dev";
  };
in
libraries // (with libraries; {
  inherit xorg;
  gtest_static = gtest;
  libglvnd = libGL;
  libjpeg_turbo = libjpeg;
  libjpeg8 = libjpeg;
  libnghttp2 = nghttp2;
  libusb = libusb1;
  lua = lua5_4;
  lua5 = lua5_4;
  mariadb-connector-c_3 = mariadb-connector-c;
  nss_latest = nss;
  pcre16 = pcre;
  sqlite-interactive = sqlite;
  udev = systemdLibs;
})
# Since 25.11 nixpkgs has these beside all others.
// lib.mapAttrs' (name: lib.nameValuePair (lib.toLower name)) (lib.filterAttrs (name: _: lib.hasPrefix "lib" name) xorg)
