{ pkgs ? import <nixpkgs> { }
, registry ? "registry.example"
}:

let
  mkImage = { name, package, args ? [ ] }: pkgs.dockerTools.buildLayeredImage {
    name = "${registry}/${name}";
    tag = package.version or "dev";
    config.Cmd = [ (pkgs.lib.getExe package) ] ++ args;
  };
in
builtins.mapAttrs (name: value: mkImage ({ inherit name; } // value)) {
  hello = { package = pkgs.hello; };
  cow = { package = pkgs.cowsay; args = [ "several" ]; };
  lister = { package = pkgs.tree; args = [ "--version" ]; };
}
