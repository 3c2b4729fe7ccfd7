# Debian's version numbers: [epoch:]upstream[-revision].
let
  # `~` and `:` are illegal in store paths.
  legal = builtins.replaceStrings [ "~" ":" ] [ "-" "-" ];
  matched = text: builtins.match "([0-9]+:)?(.*)" text;
  withoutEpoch = text: builtins.elemAt (matched text) 1;
  withoutRevision = text:
    let parts = builtins.match "(.*)-[^-]*" text;
    in if parts == null then text else builtins.head parts;
  # Without what Debian says of how it packs the source.
  withoutRepacking = text:
    let
      really = builtins.match ".*[+.]really[.]?(.*)" text;
      repacked = builtins.match "(.*[0-9a-z])[+.~-](dfsg|ds|repack|debian|deb)[0-9.+~]*(.*)" text;
    in
    if really != null then withoutRepacking (builtins.head really)
    else if repacked != null then builtins.head repacked
    else text;
in
{
  inherit legal;
  # What its authors call it, and what an image's tag may be: 3.03 of 3.03+dfsg2-8.
  plain = text: legal (withoutRepacking (withoutRevision (withoutEpoch text)));
  # What its authors call it: 2.36 of 2.36-9+deb12u10.
  upstream = text: legal (withoutRevision (withoutEpoch text));
}
