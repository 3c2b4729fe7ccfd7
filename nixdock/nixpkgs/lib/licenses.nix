# Licences by the names that nixpkgs gives them, and what they say together.
{ lib }:

let
  # name = [ the identifier of SPDX, or null; what it is called in full ];
  table = import ./licenses-table.nix;

  make = traits: shortName: row:
    let spdxId = builtins.head row;
    in
    { inherit shortName; fullName = builtins.elemAt row 1; }
    // lib.attrsets.optionalAttrs (spdxId != null) { inherit spdxId; url = "https://spdx.org/licenses/${spdxId}.html"; }
    // traits;
  section = name: traits:
    builtins.mapAttrs (make ({ free = true; redistributable = true; deprecated = false; } // traits)) table.${name};

  # Several as one: `holds` says whether it is free if all of them must be, or if one is enough.
  compound = operator: holds: licenses:
    let
      of = name: holds (license: license.${name} or true) licenses;
      id = license:
        let text = license.spdxId or license.shortName or "LicenseRef-unknown";
        in if license ? operator then "(${text})" else text;
      words = map id licenses;
      text = lib.strings.concatStringsSep " ${operator} " words;
    in
    {
      inherit operator licenses;
      spdxId = text;
      shortName = text;
      fullName = lib.strings.concatMapStringsSep " ${lib.strings.toLower operator} "
        (license: license.fullName or (id license))
        licenses;
      free = of "free";
      redistributable = of "redistributable";
      deprecated = builtins.any (license: license.deprecated or false) licenses;
    };
in
section "free" { }
// section "unfree" { free = false; redistributable = false; }
// section "redistributable" { free = false; }
// section "deprecated" { deprecated = true; }
// {
  # A licence of several parts, a choice, one with an exception, and one of its own or a later version.
  AND = compound "AND" builtins.all;
  OR = compound "OR" builtins.any;
  WITH = license: exception: compound "WITH" builtins.all [ license exception ];
  PLUS = license: license // {
    spdxId = "${license.spdxId}+";
    shortName = "${license.shortName}+";
    fullName = "${license.fullName} or later";
  };
}
