# Addresses of networks.
{ lib }:

let
  inherit (lib.strings) concatMapStringsSep splitString toLower;

  hex = number: toLower (lib.trivial.toHexString number);

  # The eight numbers of an address, of which `::` leaves out those that are 0.
  numbersOf = text:
    let
      invalid = throw "${text} is not a valid IPv6 address";
      groups = part: if part == "" then [ ] else map number (splitString ":" part);
      number = digits:
        if builtins.match "[0-9a-fA-F]{1,4}" digits == null then invalid else lib.trivial.fromHexString digits;
      halves = splitString "::" text;
      left = groups (builtins.head halves);
      right = groups (builtins.elemAt halves 1);
      missing = 8 - builtins.length left - builtins.length right;
    in
    if builtins.match "[0-9a-fA-F:]+" text == null then throw "${text} contains malformed characters for IPv6 address"
    else if builtins.length halves == 1 then (if builtins.length left == 8 then left else invalid)
    else if builtins.length halves == 2 && missing > 0 then left ++ lib.lists.replicate missing 0 ++ right
    else invalid;

  prefixOf = whole: text:
    let length = lib.strings.toInt text;
    in
    if length >= 1 && length <= 128 then length
    else throw "${whole} IPv6 subnet should be in range [1;128], got ${toString length}";
in
{
  ipv6 = {
    # "fe80::1/64" -> { address (all eight numbers, in small letters); prefixLength; }
    fromString = text:
      let parts = splitString "/" text;
      in
      if builtins.length parts > 2 then throw "${text} is not a valid IPv6 address in CIDR notation"
      else {
        address = concatMapStringsSep ":" hex (numbersOf (builtins.head parts));
        prefixLength = if builtins.length parts == 1 then 128 else prefixOf text (builtins.elemAt parts 1);
      };

    # The last four numbers of the address that a network card gives itself.
    mkEUI64Suffix = mac:
      let
        octets = splitString ":" (toLower mac);
        octet = builtins.elemAt octets;
        valid = builtins.length octets == 6 && builtins.all (o: builtins.match "[0-9a-f]{2}" o != null) octets;
        first = builtins.bitXor (lib.trivial.fromHexString (octet 0 + octet 1)) 512;
      in
      if valid then "${hex first}:${octet 2}ff:fe${octet 3}:${octet 4}${octet 5}"
      else throw "\"${mac}\" is not a valid MAC address (expected 6 octets of hex digits)";
  };
}
