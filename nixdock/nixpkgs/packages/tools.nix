# What builds are made with: tools, and hooks that give the phases of those who have them among their inputs
# something to do. What a tool sets up itself is in its unit (`hook` in debian/adjustments.nix).
{ lib, debian, final, from, ... }:

let
  deb = debian.package;

  same = lib.genAttrs [
    "autoconf"
    "autoconf-archive"
    "automake"
    "bear"
    "bison"
    "bmake"
    "byacc"
    "ccache"
    "chrpath"
    "clang-tools"
    "cmake"
    "cppcheck"
    "dejagnu"
    "desktop-file-utils"
    "doxygen"
    "dwz"
    "extra-cmake-modules"
    "flex"
    "gengetopt"
    "gperf"
    "lcov"
    "lld"
    "lldb"
    "llvm"
    "mold"
    "nanopb"
    "ronn"
    "scdoc"
    "sharutils"
    "help2man"
    "indent"
    "intltool"
    "itstool"
    "meson"
    "nasm"
    "ragel"
    "re2c"
    "scons"
    "swig"
    "texinfo"
    "xmlto"
    "yasm"
  ]
    deb;

  hook = name: more: script: final.makeSetupHook ({ inherit name; } // more) script;
  hooks = ../stdenv/hooks;
in
same // {
  cmakeCurses = final.cmake;
  cmakeMinimal = final.cmake;
  ctags = from "universal-ctags" "ctags";
  docbook_xsl = deb "docbook-xsl";
  docbook-xsl-nons = final.docbook_xsl;
  docbook_xsl_ns = deb "docbook-xsl-ns";
  gnum4 = final.m4;
  gtk-doc = from "gtk-doc-tools" "gtkdocize";
  ninja = from "ninja-build" "ninja";
  pkg-config = from "pkgconf" "pkg-config";
  yacc = from "byacc" "yacc";
  pkg-config-unwrapped = final.pkg-config;
  pkgconf = from "pkgconf-bin" "pkgconf";
  swig4 = final.swig;
  texinfoInteractive = final.texinfo;

  autoreconfHook = hook "autoreconf-hook"
    {
      propagatedNativeBuildInputs = with final.buildPackages; [ autoconf automake gettext libtool m4 perl file ];
    }
    (hooks + "/autoreconf.sh");

  autoPatchelfHook = hook "auto-patchelf-hook"
    { substitutions = { patchelf = "${final.buildPackages.patchelf}/bin/patchelf"; libc = final.glibc; }; }
    (hooks + "/auto-patchelf.sh");
  copyDesktopItems = hook "copy-desktop-items-hook" { } (hooks + "/copy-desktop-items.sh");
  validatePkgConfig = hook "validate-pkg-config"
    { propagatedNativeBuildInputs = [ final.buildPackages.pkg-config ]; }
    (hooks + "/validate-pkg-config.sh");
  versionCheckHook = hook "version-check-hook" { } (hooks + "/version-check.sh");
  wrapGAppsHook3 = hook "wrap-gapps-hook" { propagatedNativeBuildInputs = [ final.makeWrapper ]; } (hooks + "/wrap-gapps.sh");
  wrapGAppsHook = final.wrapGAppsHook3;
  wrapGAppsHook4 = final.wrapGAppsHook3;
  wrapGAppsNoGuiHook = final.wrapGAppsHook3;
  writableTmpDirAsHomeHook = hook "writable-tmpdir-as-home-hook" { } (hooks + "/writable-home.sh");

  dieHook = hook "die-hook" { } (builtins.toFile "die.sh" ''
    die() {
      nixErrorLog "$@"
      exit 1
    }
  '');
  # Archives of zip know no time before 1980.
  ensureNewerSourcesHook = { year }: hook "ensure-newer-sources-hook" { } (builtins.toFile "newer.sh" ''
    ensureNewerSources() { find . ! -newermt "${year}-01-02" -exec touch -h -d "${year}-01-02" {} +; }
    postUnpackHooks+=(ensureNewerSources)
  '');
  ensureNewerSourcesForZipFilesHook = final.ensureNewerSourcesHook { year = "1980"; };

  # What keeps nixpkgs itself up to date; a package may name it, and nothing here runs it.
  nix-update-script = _: [ ];
  gitUpdater = _: [ ];
  genericUpdater = _: [ ];
  unstableGitUpdater = _: [ ];
  directoryListingUpdater = _: [ ];
  httpTwoLevelsUpdater = _: [ ];

  # There is nothing for these to do here: config.guess knows these machines, and so on.
  updateAutotoolsGnuConfigScriptsHook = final.emptySetupHook;
  desktopToDarwinBundle = final.emptySetupHook;
  fixDarwinDylibNames = final.emptySetupHook;
  addDriverRunpath = final.emptySetupHook;
  stripJavaArchivesHook = final.emptySetupHook;
  breakpointHook = final.emptySetupHook;
  emptySetupHook = hook "empty-hook" { } (builtins.toFile "empty-hook.sh" "");

  # What a desktop shows of a program, as share/applications/NAME.desktop.
  makeDesktopItem = lib.makeOverridable (
    { name, type ? "Application", desktopName, destination ? "/share/applications", extraConfig ? { }, actions ? { }, ... }@args:
    let
      value = value:
        if builtins.isBool value then lib.boolToString value
        else if builtins.isList value then lib.concatMapStrings (one: "${one};") value
        else toString value;
      key = key: { dbusActivatable = "DBusActivatable"; url = "URL"; }.${key}
        or (lib.toUpper (lib.substring 0 1 key) + lib.substring 1 (-1) key);
      entries = attrs: lib.mapAttrs' (name: one: lib.nameValuePair (key name) (value one))
        (lib.filterAttrs (_: one: one != null && one != [ ]) attrs);
      section = title: attrs: "[${title}]\n" + lib.concatStrings (lib.mapAttrsToList (key: one: "${key}=${one}\n") attrs);
      plain = removeAttrs args [ "name" "desktopName" "destination" "extraConfig" "actions" ];
    in
    final.writeTextFile {
      name = "${name}.desktop";
      destination = "${destination}/${name}.desktop";
      text = lib.concatStringsSep "\n" (
        [
          (section "Desktop Entry" (entries plain // { Name = desktopName; Type = type; Version = "1.5"; }
            // lib.optionalAttrs (actions != { }) { Actions = value (builtins.attrNames actions); } // extraConfig))
        ]
        ++ lib.mapAttrsToList (name: one: section "Desktop Action ${name}" (entries one)) actions
      );
    }
  );

  # remove-references-to -t PATH... FILE...: no file refers to these any more.
  removeReferencesTo = final.writeShellScriptBin "remove-references-to" ''
    targets=() files=()
    while (($#)); do
      case $1 in
        -t) targets+=("$2"); shift 2 ;;
        *) files+=("$1"); shift ;;
      esac
    done
    words=()
    for target in "''${targets[@]}"; do
      hash=''${target#${builtins.storeDir}/}
      words+=(-e "s|${builtins.storeDir}/''${hash:0:32}-|${builtins.storeDir}/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee-|g")
    done
    ${final.gnused}/bin/sed -i "''${words[@]}" -- "''${files[@]}"
  '';
  # nuke-refs [-e PATH]... FILE...: no file refers to any store path but these.
  nukeReferences = final.writeShellScriptBin "nuke-refs" ''
    kept='eeeeeeee' files=()
    while (($#)); do
      case $1 in
        -e) kept+="|''${2#${builtins.storeDir}/}"; shift 2 ;;
        *) files+=("$1"); shift ;;
      esac
    done
    for file in "''${files[@]}"; do
      [ -f "$file" ] && [ ! -L "$file" ] || continue
      for hash in $(${final.gnugrep}/bin/grep -aoE '${builtins.storeDir}/[a-z0-9]{32}-' "$file" | ${final.coreutils}/bin/sort -u); do
        name=''${hash#${builtins.storeDir}/}
        case "|$kept" in
          *"|$name"*) ;;
          *) ${final.gnused}/bin/sed -i "s|$hash|${builtins.storeDir}/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee-|g" "$file" ;;
        esac
      done
    done
  '';
}
