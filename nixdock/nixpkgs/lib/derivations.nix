# Derivations as values that are not evaluated before something of theirs is asked for.
{ lib }:

{
  # Knows its outputs and some attributes without forcing the derivation itself.
  lazyDerivation =
    { derivation ? null
    , meta ? null
    , passthru ? { }
    , outputs ? [ "out" ]
    }:
    let
      checked =
        if derivation.type or null == "derivation" then derivation
        else throw "lazyDerivation: input must be a derivation";
      single = outputs == [ "out" ];
    in
    {
      type = "derivation";
      inherit outputs;
      inherit (checked) name outPath drvPath outputName system;
    }
    // lib.attrsets.genAttrs outputs (output: checked.${output})
    // lib.attrsets.optionalAttrs single { out = checked.out; }
    // { meta = if meta == null then checked.meta or { } else meta; }
    // passthru;

  optionalDrvAttr = condition: value: if condition then value else null;

  warnOnInstantiate = message: drv:
    let warned = lib.trivial.warn message;
    in drv // {
      outPath = warned drv.outPath;
      drvPath = warned drv.drvPath;
    };
}
