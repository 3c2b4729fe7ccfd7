{ pkgs ? import <nixpkgs> { } }:

let
  inherit (pkgs) lib;

  options = { config, ... }: {
    options = {
      port = lib.mkOption { type = lib.types.port; default = 8000; };
      users = lib.mkOption {
        type = lib.types.attrsOf (lib.types.submodule ({ name, ... }: {
          options = {
            home = lib.mkOption { type = lib.types.str; default = "/home/${name}"; };
            admin = lib.mkEnableOption "more rights";
          };
        }));
        default = { };
      };
      settings = lib.mkOption { type = (pkgs.formats.json { }).type; };
    };
    config.settings = {
      listen = lib.mkDefault "0.0.0.0:${toString config.port}";
      admins = lib.attrNames (lib.filterAttrs (_: user: user.admin) config.users);
    };
  };

  config = (lib.evalModules {
    modules = [
      options
      { port = lib.mkForce 9000; users.ann.admin = true; users.bob = { }; }
      { settings.debug = lib.mkIf true false; }
    ];
  }).config;

  file = (pkgs.formats.json { }).generate "config.json" config.settings;
in
pkgs.dockerTools.buildImage {
  name = "configured";
  config.Cmd = [ "${pkgs.jq}/bin/jq" "-c" "-S" "." file ];
}
