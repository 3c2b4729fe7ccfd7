# A derivation that no build environment makes, with what an expression may ask of any: `meta`, `passthru`,
# `overrideAttrs`, `overrideDerivation`.
#
#   build   makes the derivation of attributes; `meta` and `passthru` are not among them
#   attrs   the attributes
{ lib }:

let
  make = build: rattrs:
    let
      attrs = rattrs (attrs // { finalPackage = result; });
      drv = build (removeAttrs attrs [ "meta" "passthru" ]);
      name = attrs.name or "${attrs.pname}-${attrs.version}";
      passthru = attrs.passthru or { };
      overrideAttrs = change:
        let
          asOverlay = final: prev:
            if !(lib.isFunction change) then change
            else
              let one = change prev;
              in if lib.isFunction one then change final prev else one;
        in
        make build (lib.extends asOverlay rattrs);
      result = lib.extendDerivation true
        ({
          meta = { inherit name; available = true; outputsToInstall = [ (builtins.head (drv.outputs or [ "out" ])) ]; } // attrs.meta or { };
          inherit passthru overrideAttrs;
          outputs = drv.outputs or [ "out" ];
          overrideDerivation = lib.overrideDerivation result;
        }
        // lib.optionalAttrs (attrs ? pname) { inherit (attrs) pname; }
        // lib.optionalAttrs (attrs ? version) { inherit (attrs) version; }
        // passthru)
        drv;
    in
    result;
in
build: attrs: make build (_: attrs)
