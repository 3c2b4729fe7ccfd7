# A small system as NixOS is one: services, each of which becomes a unit, with assertions and old names.
{ lib, ... }:
{
  imports = [ ./assertions.nix ./services.nix ./postgres.nix ./old-names.nix ];

  options.system.name = lib.mkOption {
    type = lib.types.strMatching "[a-z][a-z0-9-]*";
    description = "What the machine is called.";
    example = "alpha";
  };
}
