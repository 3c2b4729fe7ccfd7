# What tells programs which fonts there are: FONTCONFIG_FILE.
{ lib, pkgs }:

{
  makeFontsConf = { fontDirectories, fontconfig ? pkgs.debian.fontconfig-config, impureFontDirectories ? [ ], includes ? [ ] }:
    let
      tags = name: lib.concatMapStrings (text: "  <${name}>${lib.escapeXML "${text}"}</${name}>\n");
    in
    pkgs.writeText "fonts.conf" ''
      <?xml version="1.0"?>
      <!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
      <fontconfig>
        <include ignore_missing="yes">${fontconfig.out or fontconfig}/etc/fonts/fonts.conf</include>
      ${tags "include" includes}${tags "dir" (fontDirectories ++ impureFontDirectories)}
        <cachedir prefix="xdg">fontconfig</cachedir>
      </fontconfig>
    '';
}
