{ pkgs ? import <nixpkgs> { } }:
pkgs.dockerTools.buildLayeredImage {
  name = "time-zone";
  contents = with pkgs; [ tzdata coreutils ];
  config = {
    Cmd = [ "date" "-d" "@0" "+%H:%M %Z" ];
    Env = [ "TZDIR=${pkgs.tzdata}/share/zoneinfo" "TZ=Asia/Tokyo" "LANG=C.UTF-8" ];
  };
}
