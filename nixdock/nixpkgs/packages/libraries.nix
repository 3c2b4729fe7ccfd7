# Libraries under their nixpkgs names, and programs whose library is a package of its own.
{ debian, from, ... }:

let
  deb = debian.package;

  withLibrary = library: package: package // { out = library; lib = library; };
in
{
  openssl = withLibrary (debian.either [ "libssl3t64" "libssl3" ]) (deb "openssl");
  sqlite = withLibrary (deb "libsqlite3-0") (from "sqlite3" "sqlite3");
  zlib = deb "zlib1g";
}
