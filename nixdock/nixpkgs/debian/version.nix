# Debian's version numbers: [epoch:]upstream[-revision].
let
  # `~` and `:` are illegal in store paths.
  legal = builtins.replaceStrings [ "~" ":" ] [ "-" "-" ];
  matched = text: builtins.match "([0-9]+:)?(.*)" text;
  withoutEpoch = text: builtins.elemAt (matched text) 1;
  withoutRevision = text:
    let parts = builtins.match "(.*)-[^-]*" text;
    in if parts == null then text else builtins.head parts;
in
{
  inherit legal;
  # What its authors call it: 2.36 of 2.36-9+deb12u10.
  upstream = text: legal (withoutRevision (withoutEpoch text));
}
