{ lib, dockerTools, greet }:

let
  loud = greet.override { greeting = "HELLO"; };
in
dockerTools.buildLayeredImage {
  name = "overlay/${greet.pname}";
  tag = greet.version;
  config = {
    Entrypoint = [ (lib.getExe loud) ];
    Labels.greeting = loud.greeting;
  };
}
