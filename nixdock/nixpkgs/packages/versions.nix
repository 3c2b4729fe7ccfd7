# Names with a version in them: postgresql_15, nodejs_20, python311. Where that is the version that Debian has, it
# is Debian's package; where it is not, a sentence says which version there is.
{ lib, debian }:

let
  # "12" of 12.4+deb12u11.
  release = "Debian ${builtins.head (builtins.match "([0-9]+).*" (debian.package "base-files").version)}";

  # 3.11 is the version of a package that has 3.11.2; 3.1 is not.
  isOf = asked: version: builtins.match "${lib.escapeRegex asked}([^0-9].*)?" version != null;
in
rec {
  inherit release;

  # The sentence of a version that Debian lacks.
  refuse = { name, label, attribute, version, spelt }:
    throw ("${name}: ${release} has ${label} ${version}: pkgs.${attribute}"
      + lib.optionalString (spelt != null) " or pkgs.${spelt}"
      + "; another version is in the real nixpkgs (--nixpkgs PATH)");

  # All names of one program:
  #
  #   label      what people call it: "PostgreSQL"
  #   attribute  its name without a version: "postgresql"
  #   package    what that is; its version decides
  #   versions   those that names are made of: [ "9.6" "15" ]
  #   prefix     what is before the version in the name, as `postgresql_`
  #   separator  what stands there for the dots of a version: "_" as in `ruby_3_1`, "" as in `python311`
  #   suffix     what is behind it, as the `Packages` of `python311Packages`
  #   value      what the name of Debian's version means, where it is not `package`
  named =
    { label
    , attribute
    , package
    , versions
    , prefix ? "${attribute}_"
    , separator ? "_"
    , suffix ? ""
    , value ? package
    }:
    let
      spell = version: prefix + builtins.replaceStrings [ "." ] [ separator ] version + suffix;
      there = lib.findFirst (asked: isOf asked package.version) null versions;
      resolve = asked:
        if isOf asked package.version then value
        else
          refuse {
            name = spell asked;
            inherit label attribute;
            # As much of it as names have.
            version = if there == null then package.version else there;
            spelt = lib.mapNullable spell there;
          };
    in
    lib.listToAttrs (map (asked: { name = spell asked; value = resolve asked; }) versions);
}
