# Values as configuration files: `(formats.json { }).generate "name" value`.
{ lib, pkgs }:

let
  text = generator: {
    type = throw "types of options are not in the offline package set; use the real nixpkgs (--nixpkgs PATH)";
    generate = name: value: pkgs.writeText name (generator value);
  };
in
{
  json = { }: text (value: builtins.toJSON value + "\n");
  yaml = { }: text (value: builtins.toJSON value + "\n");
  ini = args: text (lib.generators.toINI args);
  keyValue = args: text (lib.generators.toKeyValue args);
  gitIni = { }: text lib.generators.toGitINI;
  lua = args: text (lib.generators.toLua args);
}
