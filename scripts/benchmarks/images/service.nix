# A script of Python and an own library, layered as the set does and as nixpkgs does.
{
  pkgs ? import <nixpkgs> { },
  library ? "1",
}:
let
  inherit (pkgs) dockerTools;

  order = import ./order.nix { inherit pkgs; };

  own = pkgs.writeTextDir "own.py" "VERSION = '${library}'\n";

  image = make: script: more:
    make (
      {
        name = "service";
        config = {
          Cmd = [
            "${pkgs.python3}/bin/python3"
            script
          ];
          Env = [ "PYTHONPATH=${own}" ];
        };
      }
      // more
    );

  inNixpkgsOrder = script: {
    layeringPipeline = order [
      pkgs.python3
      script
      own
    ];
  };
in
{
  ours = image dockerTools.streamLayeredImage ./app.py { };
  oursSecond = image dockerTools.streamLayeredImage ./second.py { name = "second"; };
  theirs = image dockerTools.streamLayeredImage ./app.py (inNixpkgsOrder ./app.py);
  theirsSecond = image dockerTools.streamLayeredImage ./second.py (
    inNixpkgsOrder ./second.py // { name = "second"; }
  );
  archive = image dockerTools.buildLayeredImage ./app.py { };
  web = image dockerTools.streamLayeredImage ./web.py { name = "web"; } // {
    nixdock.ready = {
      tcp = 8000;
      within = "30s";
    };
  };
}
