# The layeringPipeline that gives nixpkgs' default layers where there are no more paths than layers: a path a layer,
# the smallest closure lowest. `roots`: what config and contents name.
{ pkgs }:
roots:
pkgs.runCommandLocal "nixpkgs-order.json" { nativeBuildInputs = [ pkgs.python3 ]; } ''
  python3 ${./order.py} ${pkgs.closureInfo { rootPaths = roots; }}/registration > $out
''
