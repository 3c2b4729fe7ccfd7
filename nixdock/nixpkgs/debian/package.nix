# What an expression may ask of a package of Debian besides its store path, and what it gets that changes one.
#
#   stdenv    what builds the copy of a package that is to have more steps; nothing else needs it
#   licenses  the licence of a package, by its facts
{ lib, stdenv, licenses }:

let
  # All outputs that people name. What a package lacks of these is in its main one.
  known = [ "out" "bin" "lib" "dev" "man" "doc" "info" "devdoc" "static" "debug" ];

  # Steps that a copy of a package can have.
  steps = [ "postInstall" "preFixup" "postFixup" ];
  # What says something of a package without being part of a build.
  aside = [ "pname" "version" "name" "meta" "passthru" "pos" "finalPackage" "outputs" ];
  # What the steps need, and what makes no difference to a program that is there.
  harmless = [
    "nativeBuildInputs" "buildInputs" "propagatedBuildInputs" "nativeCheckInputs" "checkInputs" "strictDeps"
    "doCheck" "doInstallCheck" "checkPhase" "installCheckPhase" "preCheck" "postCheck" "enableParallelBuilding"
    "hardeningDisable" "dontStrip" "separateDebugInfo" "stdenv" "preferLocalBuild" "allowSubstitutes"
  ];
  # What an expression may add to without asking whether it is there.
  empty = lib.genAttrs [ "nativeBuildInputs" "buildInputs" "propagatedBuildInputs" "patches" ] (_: [ ])
    // lib.genAttrs [ "configureFlags" "makeFlags" "cmakeFlags" "mesonFlags" "outputs" ] (_: [ ])
    // lib.genAttrs (steps ++ [ "postPatch" "preConfigure" "postConfigure" "preBuild" "postBuild" "preInstall" ]) (_: "");

  asItIs = facts: what:
    "${facts.pname}: Debian's program as it is (${facts.name}); ${what} changes nothing of it: to build it another way, "
    + "use the real nixpkgs (--nixpkgs PATH)";

  # Facts: `derivation`, `debianName`, `debianVersion`, `isFree`, `pname`, `version`, `name`, `meta` and `passthru`;
  # `main`, which of its outputs the derivation is, and `units`, the other ones by their names.
  make = facts:
    let
      outputs = [ facts.main ] ++ builtins.attrNames facts.units;
      self = facts.derivation // facts.passthru // {
        inherit (facts) pname version name debianName debianVersion passthru;
        inherit stdenv outputs;
        # What it is linked with is in its units: there is nothing for others to go through.
        inherit (empty) nativeBuildInputs buildInputs propagatedBuildInputs;
        propagatedNativeBuildInputs = [ ];
        all = map asOutput outputs;
        meta = {
          inherit (facts) name;
          homepage = null;
          license = licenses facts;
          platforms = lib.platforms.linux;
          maintainers = [ ];
          teams = [ ];
          available = true;
          broken = false;
          insecure = false;
          unfree = !facts.isFree;
          unsupported = false;
          outputsToInstall = [ facts.main ];
        } // facts.meta;
        src = {
          name = "${facts.name}-source";
          isDebians = true;
          outPath = throw ("${facts.pname}: the offline package set has Debian's program, not its source; take that from "
            + "where its authors have it (fetchurl), or use the real nixpkgs (--nixpkgs PATH)");
        };
        tests = facts.passthru.tests or { };

        override = change:
          let
            # A function is asked for the names that it changes, no more.
            names = builtins.attrNames (if lib.isFunction change then change { } else change);
          in
          if names == [ ] then self
          else lib.warn (asItIs facts "override { ${toString names} }") self;
        overrideAttrs = change: revise facts (lib.extends (asOverlay change) (facts.attributes or (_: attributesOf facts)));
        overrideDerivation = _: throw (asItIs facts "overrideDerivation");

        # The same with other facts, which are a function of these: for what gives packages their names.
        withFacts = change: make (facts // change facts);
      } // lib.genAttrs known asOutput;

      asOutput = output:
        if facts.units == { } then self
        else if output == facts.main then self // { outputSpecified = true; }
        else if facts.units ? ${output} then
          facts.units.${output} // {
            inherit (self) pname version meta passthru outputs all;
            outputSpecified = true;
          } // lib.genAttrs known asOutput
        # What is linked: the library itself, or what is linked statically.
        else if output == "lib" then asOutput "out"
        else if output == "static" then asOutput "dev"
        else self;
    in
    self;

  asOverlay = change: final: prev:
    if lib.isFunction change then
      let one = change prev;
      in if lib.isFunction one then change final prev else one
    else
      change;

  attributesOf = facts: empty // {
    inherit (facts) pname version name passthru;
    inherit (make facts) meta src;
  };

  # A package that is changed in what is said of it stays the same; one that has more steps is a copy of it, whose
  # files name the copy where they named the package.
  revise = facts: attributes:
    let
      before = attributesOf facts;
      attrs = attributes (attrs // { finalPackage = result; inherit (result) overrideAttrs; });
      isChanged = name:
        if name == "src" then !(attrs.src ? isDebians)
        else !(before ? ${name}) || attrs.${name} != before.${name};
      others = builtins.filter isChanged
        (lib.subtractLists (aside ++ harmless ++ steps ++ [ "finalPackage" "overrideAttrs" ]) (builtins.attrNames attrs));
      added = builtins.filter (step: attrs.${step} != "") steps;
      isOther = builtins.elem "src" others;
      changed = make (facts // {
        inherit attributes;
        inherit (attrs) passthru;
        meta = facts.meta // attrs.meta;
        derivation = if added == [ ] then facts.derivation else copy facts attrs;
      } // lib.optionalAttrs (!isOther) {
        inherit (attrs) pname version;
        name = if attrs.name != facts.name then attrs.name else "${attrs.pname}-${attrs.version}";
      });
      result = if others == [ ] then changed else lib.warn (asItIs facts "overrideAttrs { ${toString others} }") changed;
    in
    result;

  copy = facts: attrs: stdenv.mkDerivation ({
    inherit (facts.derivation) name;
    unit = facts.derivation;
    inherit (attrs) nativeBuildInputs buildInputs;
    dontUnpack = true;
    dontConfigure = true;
    dontBuild = true;
    installPhase = ''
      runHook preInstall
      cp -a $unit $out
      chmod -R u+w $out
      # Names of the same length: what is compiled in may be replaced.
      old=$(basename $unit) new=$(basename $out)
      { grep -rlZF --binary-files=text "$old" $out || true; } | LC_ALL=C xargs -0r sed -i "s|''${old//./\\.}|$new|g"
      find $out -type l -lname "*$old*" | while read -r link; do
        target=$(readlink "$link")
        ln -sfn "''${target//"$old"/"$new"}" "$link"
      done
      runHook postInstall
    '';
  } // lib.getAttrs steps attrs);
in
make
