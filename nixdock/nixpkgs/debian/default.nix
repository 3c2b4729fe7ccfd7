# Debian's packages as store paths, by their Debian names.
#
#   system     where the builders run
#   lock       the folder of the lock: what Debian's index has for one architecture
#   bootstrap  the folder of the static programs that the first builder is made with
#
# Gives `packages`, every package of the index by its Debian name; `package`, the same as a function that
# knows what to say of a name that is not there; and `python.run`, by which all here is built.
{ system, lock, bootstrap }:

let
  folder = lock;
in
let
  lock = import ./lock.nix { inherit folder; };
  version = import ./version.nix;
  adjustments = import ./adjustments.nix {
    inherit (lock) has;
    unit = name: units.${unitOf name};
  };

  fetch = import ./deb.nix { inherit version; };
  deb = name: fetch name (lock.get name);

  python = import ./python.nix { inherit system bootstrap lock deb; };

  # The unit that a package is part of.
  unitOf = name: (lock.get name).unit or name;

  needsOf = name:
    let
      record = lock.get name;
      adjustment = adjustments.${name} or { };
    in
    builtins.filter (one: !builtins.elem one (adjustment.without or [ ]))
      (record.needs ++ map unitOf (builtins.filter lock.has (adjustment.needs or [ ])));

  # Scripts run by bash; what bash itself is made of must do without.
  belowShell = builtins.listToAttrs (map (one: { name = one.key; value = true; })
    (builtins.genericClosure {
      startSet = [{ key = unitOf "bash"; }];
      operator = one: map (key: { inherit key; }) (needsOf one.key);
    }));

  makeUnit = name:
    let
      record = lock.get name;
      adjustment = adjustments.${name} or { };
      upstream = version.upstream record.version;
      others = builtins.filter (one: one != name) (record.members or [ ]);
      drv = python.run {
        name = "${name}-${upstream}";
        package = ./builders;
        module = "unit";
        order = {
          debs = map deb ([ name ] ++ others);
          needs = map (one: units.${one}) (needsOf name);
          libc = if name == "libc6" then null else units.libc6;
          shell = if belowShell ? ${name} then null else units.bash;
          drop = adjustment.drop or [ ];
          links = adjustment.links or { };
          finish = adjustment.finish or "";
        };
      };
    in
    drv // {
      pname = name;
      version = upstream;
      debianVersion = record.version;
      meta = {
        description = record.description or name;
        homepage = record.homepage or null;
        mainProgram = name;
        available = true;
        name = "${name}-${upstream}";
        outputsToInstall = [ "out" ];
      };
    };

  # Every unit of the index, built once however often it is asked for.
  units = builtins.listToAttrs (map (name: { inherit name; value = makeUnit name; }) lock.names);

  packages = builtins.listToAttrs (map (name: { inherit name; value = units.${unitOf name}; }) lock.names);
in
{
  inherit packages lock deb python;
  package = name:
    if lock.has name then units.${unitOf name}
    else throw "Debian has no package '${name}' (${builtins.concatStringsSep ", " lock.about.codenames}); use the real nixpkgs for it (--nixpkgs PATH)";
}
