# Debian's packages as store paths.
#
#   lib      the library
#   lock     the lock of the architecture that the packages are for
#   builder  how they are built
#   stdenv   what builds where a package is changed
#   cross    where they are for another architecture: the packages of the one that builds (`debian`), and what
#            its compilers for the other one are named by (`triplet`)
#
# Gives `packages`, every package of the index by its Debian name, and `package`, the same as a function,
# which reads less and has an answer to names that are not there.
{ lib, lock, builder, stdenv, cross ? null }:

let
  version = import ./version.nix;
  fetch = import ./deb.nix;
  deb = name: fetch name (lock.get name);

  adjustments = import ./adjustments.nix {
    inherit lib builder either;
    unit = name: unit (unitOf name);
  };

  # The first of these packages that this Debian has: names change with a library's interface.
  either = names: unit (unitOf (builtins.head (builtins.filter lock.has names)));

  # The unit that a package is part of.
  unitOf = name: (lock.get name).unit or name;
  libc = unitOf "libc6";
  shell = unitOf "bash";

  # The units that a unit may refer to, by name.
  needsOf = name:
    let
      adjustment = adjustments.${name} or { };
      more = map unitOf (builtins.filter lock.has (adjustment.needs or [ ]));
    in
    lib.subtractLists (adjustment.without or [ ]) (lib.unique ((lock.get name).needs ++ more));

  # Scripts run by bash; what bash itself is made of must do without.
  belowShell = lib.genAttrs
    (map (one: one.key) (builtins.genericClosure {
      startSet = [{ key = shell; }];
      operator = one: map (key: { inherit key; }) (needsOf one.key);
    }))
    (_: true);

  # Of what these units need, however far, and of themselves, the units that need an interpreter: its modules.
  modulesOf = interpreter: names:
    builtins.filter (name: builtins.elem interpreter (needsOf name))
      (map (one: one.key) (builtins.genericClosure {
        startSet = map (key: { inherit key; }) names;
        operator = one: map (key: { inherit key; }) (needsOf one.key);
      }));

  # Whether others are built with a package.
  isDevelopment = name: lib.hasSuffix "-dev" name || lib.hasSuffix "-multidev" name;

  # What compiles guides: they are for the architecture of the packages, and built by that of the machine.
  guideCompiler =
    if cross == null then [ (unit "tcc") ]
    else map (kind: cross.debian.package "${kind}-${cross.triplet}") [ "cpp" "binutils" ];

  # A unit by its name; each is made once however often it is asked for.
  unit = lock.memoise (name: record:
    let
      adjustment = adjustments.${name} or { };
      others = builtins.filter (one: one != name) (record.members or [ ]);
      upstream = version.upstream (record.unitVersion or record.version);
      plain = version.plain (record.unitVersion or record.version);
      uses = interpreter: builtins.elem interpreter (needsOf name);
      modules = interpreter:
        lib.optionals (uses interpreter) (map unit (lib.remove name (modulesOf interpreter [ name ])));
      derivation = builder.run {
        name = "${name}-${upstream}";
        package = ./builders;
        module = "unit";
        programs = lib.optionals (adjustment ? guide) guideCompiler;
        order = {
          debs = map deb ([ name ] ++ others);
          needs = map unit (needsOf name);
          libc = if name == libc then null else unit libc;
          shell = if belowShell ? ${name} then null else unit shell;
          python = if uses "python3" then unit "python3" else null;
          pythonModules = modules "python3";
          perl = if uses "perl" then unit "perl" else null;
          perlModules = modules "perl";
          # What comes with it where something is built with it.
          development =
            if !(isDevelopment name) then null
            else map unit (builtins.filter (one: isDevelopment one || lib.hasSuffix "-dev-bin" one) (needsOf name));
          drop = adjustment.drop or [ ];
          keepsEtc = adjustment ? etc;
          texts = adjustment.texts or [ ];
          links = adjustment.links or { };
          strings = adjustment.strings or { };
          guide =
            if !(adjustment ? guide) then null
            else adjustment.guide // lib.optionalAttrs (cross != null) { compiler = cross.triplet; };
          finish = adjustment.finish or "" + lib.optionalString (adjustment ? hook) ''
            mkdir -p nix-support
            cp ${adjustment.hook} nix-support/setup-hook
          '';
        };
      };
    in
    present {
      inherit derivation;
      debianName = name;
      debianVersion = record.version;
      # Debian says in which part of it a package is by its place.
      isFree = builtins.match ".*/pool/non-free[^/]*/.*" record.uri == null;
      pname = name;
      version = plain;
      name = "${name}-${plain}";
      main = "out";
      units = { };
      passthru = { };
      meta = {
        description = (record.description or name) + lib.optionalString (adjustment ? note) " (${adjustment.note})";
        longDescription = record.description or name;
        homepage = record.homepage or null;
        mainProgram = name;
      };
    });

  present = import ./package.nix { inherit lib stdenv; licenses = import ./licenses.nix { inherit lib; }; };

  # Units that are one output together, such as the headers of several libraries.
  join = name: units:
    let first = builtins.head units; in
    first.withFacts (_: {
      derivation = builder.run {
        name = "${name}-${first.version}";
        package = ./builders;
        module = "development";
        order = { inherit units; };
      };
    });

  # The library that a development package is for, which Debian names otherwise in each of its releases: what it
  # depends on of the same version, and is named like it; a name for another development package means that one's.
  # Null of one without, such as headers alone.
  libraryOf = name:
    let
      record = lock.get (unitOf name);
      needs = needsOf (unitOf name);
      stem = lib.removePrefix "lib" (lib.removeSuffix "-dev" name);
      likeness = one: lib.strings.commonPrefixLength stem (lib.removePrefix "lib" one);
      isLibrary = one:
        !isDevelopment one && !lib.hasInfix "-dev-" one && !lib.hasSuffix "-bin" one && (lock.get one).version == record.version
        && (lib.hasPrefix "lib" one || lib.hasPrefix stem one);
      better = one: other:
        let a = likeness one; b = likeness other;
        in a > b || a == b && builtins.stringLength one < builtins.stringLength other;
      found = builtins.filter isLibrary needs;
      others = builtins.filter (lib.hasSuffix "-dev") needs;
    in
    if found != [ ] then unit (builtins.head (builtins.sort better found))
    else if builtins.length others == 1 then libraryOf (builtins.head others)
    else null;

  # The names most like one that is not there.
  near = name:
    let
      length = builtins.stringLength name;
      start = builtins.substring 0 1 name;
      similar = other:
        lib.hasInfix name other
        || builtins.substring 0 1 other == start
          && lib.trivial.max (builtins.stringLength other - length) (length - builtins.stringLength other) <= 2
          && lib.strings.levenshtein name other <= 2;
    in
    lib.take 5 (lib.sortOn builtins.stringLength (builtins.filter similar lock.names));

  missing = name:
    let names = near name; in
    throw ("Debian (${lib.concatStringsSep ", " lock.about.codenames}) has no package '${name}'"
      + lib.optionalString (names != [ ]) "; like it are ${lib.concatStringsSep ", " names}"
      + "; what it lacks is in the real nixpkgs (--nixpkgs PATH)");
in
{
  inherit either join libraryOf;
  # The units that need this interpreter, of these packages and of all that they need: its modules.
  modules = interpreter: names: map unit (modulesOf interpreter (map unitOf names));
  # The units of these packages and of all that they need.
  closure = names: map (one: unit one.key) (builtins.genericClosure {
    startSet = map (name: { key = unitOf name; }) names;
    operator = one: map (key: { inherit key; }) (needsOf one.key);
  });
  inherit (lock) has names;
  packages = lib.genAttrs lock.names (name: unit (unitOf name));
  package = name: if lock.has name then unit (unitOf name) else missing name;
}
