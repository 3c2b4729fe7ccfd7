# Images of one interpreter, each with a script of its own.
{
  pkgs ? import <nixpkgs> { },
  count ? "30",
  salt ? "",
}:
builtins.listToAttrs (
  map (
    number:
    let
      name = "image-${toString number}";
    in
    {
      inherit name;
      value = pkgs.dockerTools.buildLayeredImage {
        inherit name;
        config.Cmd = [
          "${pkgs.python3}/bin/python3"
          (pkgs.writeText "app.py" "print(${toString number})  # ${salt}\n")
        ];
      };
    }
  ) (builtins.genList (number: number) (builtins.fromJSON count))
)
