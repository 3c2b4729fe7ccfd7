# The certificates by which a fetcher trusts its servers: those that Nix itself trusts by, where a variable names
# them (a proxy's own, say), else Debian's. Only fixed-output derivations may ask: what they give does not depend on it.
{ pkgs }:

let
  named = builtins.getEnv "NIX_SSL_CERT_FILE";
in
if named != "" && builtins.pathExists named
then "${builtins.path { name = "ca-bundle.crt"; path = /. + named; }}"
else "${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt"
