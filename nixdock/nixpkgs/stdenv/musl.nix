# The stage of packages for musl, the small C library. Debian has its compiler but no packages built with it: what
# there is here is built from Debian's sources, as programs that need no library at all, or is static in Debian.
{ lib, lock }:

final: prev:

let
  # The source stands beside the package, and its hash is that of the release, wherever it is fetched from.
  hashes."2.10" = "31e066137a962676e89f69d1b65382de95a7ef7d914b8cb956f41ea72e0f516b";
  record = lock.get "hello";
  version = (import ../debian/version.nix).upstream record.version;
  source = import ../debian/deb.nix "hello-source" (record // {
    uri = "${dirOf record.uri}/hello_${version}.orig.tar.gz";
    sha256 = hashes.${version} or (throw "the offline package set does not know the source of hello ${version}; use the real nixpkgs for it (--nixpkgs PATH)");
  });

  # The names of the set, each with a sentence in place of a package.
  missing = builtins.mapAttrs
    (name: _: throw "Debian has no ${name} for musl, and the offline package set does not build it; use the real nixpkgs for it (--nixpkgs PATH)")
    (builtins.removeAttrs prev [ "lib" "config" "overlays" "system" "debian" "importWith" ]);

  # What Debian has as programs that need no library at all, and what is no program.
  whole = {
    inherit (prev) busybox cacert iana-etc mailcap tzdata;
    bash = prev.debian.bash-static;
  };
in
missing // whole // {
  hello = final.stdenv.mkDerivation {
    pname = "hello";
    inherit version;
    # A name that says what it is: the phases look at its end.
    src = final.buildPackages.runCommandLocal "hello-${version}.tar.gz" { } "cp ${source} $out";
    # Its translations would be found at an absolute path.
    configureFlags = [ "--disable-nls" ];
    enableParallelBuilding = true;
    meta = {
      description = "A program that greets, as an example of a static program";
      mainProgram = "hello";
    };
  };
}
