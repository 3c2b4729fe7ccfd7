# Images that know Nix.
{ pkgs, examples }:

let
  inherit (pkgs) dockerTools buildEnv;
in
{
  nix = dockerTools.buildImageWithNixDb {
    name = "nix";
    tag = "latest";
    copyToRoot = buildEnv {
      name = "image-root";
      # nix-store uses cat, and shells scripts.
      paths = [ pkgs.coreutils pkgs.bash pkgs.nix ];
      pathsToLink = [ "/bin" ];
    };
    config.Env = [ "NIX_PAGER=cat" "USER=nobody" ];
    config.Cmd = [ "/bin/bash" "-c" "nix-store -qR ${pkgs.nix}" ];
  };
  nixLayered = dockerTools.buildLayeredImageWithNixDb {
    name = "nix-layered";
    contents = [ pkgs.coreutils pkgs.bash pkgs.nix ];
    config.Env = [ "NIX_PAGER=cat" ];
    config.Cmd = [ "/bin/bash" "-c" "nix-store -q --references /bin/bash" ];
  };
  nixStreamed = dockerTools.streamLayeredImage {
    name = "nix-streamed";
    tag = "latest";
    includeNixDB = true;
    contents = [ pkgs.coreutils pkgs.bash pkgs.nix ];
    config.Env = [ "NIX_PAGER=cat" "USER=nobody" ];
    config.Cmd = [ "/bin/bash" "-c" "nix-store -q --references ${pkgs.bash}" ];
  };
}
