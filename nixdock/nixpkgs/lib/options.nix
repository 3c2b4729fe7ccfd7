# Options: their declarations, what shows them, and the ways in which definitions are merged.
{ lib }:

let
  inherit (builtins) all concatMap filter foldl' head isAttrs isBool isFunction isInt isList isString length tail;
  inherit (lib.attrsets) collect isDerivation optionalAttrs;
  inherit (lib.generators) toPretty withRecursion;
  inherit (lib.lists) optionals take toList;
  inherit (lib.strings) concatMapStrings concatMapStringsSep concatStringsSep splitString;

  self = {
    isOption = value: value._type or null == "option";

    # All that a declaration may have: a misspelt name is refused.
    mkOption =
      { default ? null
      , defaultText ? null
      , example ? null
      , description ? null
      , relatedPackages ? null
      , type ? null
      , apply ? null
      , internal ? null
      , visible ? null
      , readOnly ? null
      }@option: option // { _type = "option"; };

    mkEnableOption = name: self.mkOption {
      default = false;
      example = true;
      description = "Whether to enable ${name}.";
      type = lib.types.bool;
    };

    # A package of `pkgs`; `name` and `default` are names or paths in it.
    mkPackageOption = pkgs: name:
      { nullable ? false, default ? name, example ? null, extraDescription ? "", pkgsText ? "pkgs" }:
      let
        path = toList default;
        shown = lib.attrsets.showAttrPath;
      in
      self.mkOption ({
        description = "The ${lib.lists.last (toList name)} package to use."
          + lib.strings.optionalString (extraDescription != "") " ${extraDescription}";
        type = if nullable then lib.types.nullOr lib.types.package else lib.types.package;
      }
      // (if default != null then {
        default = lib.attrsets.attrByPath path (throw "${shown path} cannot be found in ${pkgsText}") pkgs;
        defaultText = self.literalExpression "${pkgsText}.${shown path}";
      } else optionalAttrs nullable { default = null; })
      // optionalAttrs (example != null) {
        example = self.literalExpression (if isList example then "${pkgsText}.${shown example}" else example);
      });
    mkPackageOptionMD = self.mkPackageOption;

    # Takes what is defined where no option is declared.
    mkSinkUndeclaredOptions = more: self.mkOption ({
      internal = true;
      visible = false;
      default = false;
      description = "Takes definitions of options that are not declared.";
      type = lib.types.mkOptionType { name = "sink"; merge = _: _: false; };
      apply = _: throw "Option value is not readable because the option is not declared.";
    } // more);

    # Definitions, as { file, value }, made one.
    getValues = map (def: def.value);
    getFiles = map (def: def.file);
    mergeDefaultOption = loc: defs:
      let values = self.getValues defs;
      in
      if length values == 1 then head values
      else if all isFunction values then x: self.mergeDefaultOption loc (map (def: def // { value = def.value x; }) defs)
      else if all isList values then builtins.concatLists values
      else if all isAttrs values then foldl' lib.trivial.mergeAttrs { } values
      else if all isBool values then builtins.any lib.trivial.id values
      else if all isString values then lib.strings.concatStrings values
      else if all isInt values && all (value: value == head values) values then head values
      else throw "Cannot merge definitions of `${self.showOption loc}'. Definition values:${self.showDefs defs}";
    mergeOneOption = self.mergeUniqueOption { message = ""; };
    mergeUniqueOption = { message, merge ? _: defs: (head defs).value }: loc: defs:
      if length defs == 1 then merge loc defs
      else throw ("The option `${self.showOption loc}' is defined multiple times while it's expected to be unique.\n"
        + "${message}\nDefinition values:${self.showDefs defs}\n${mend}");
    mergeEqualOption = loc: defs:
      (foldl'
        (first: def:
          if def.value == first.value then first
          else throw ("The option `${self.showOption loc}' has conflicting definition values:"
            + "${self.showDefs [ first def ]}\n${mend}"))
        (head defs)
        (tail defs)).value;

    # For people.
    showOption = concatMapStringsSep "." (part:
      if part == "*" || builtins.match "<.*>" part != null then part else lib.strings.escapeNixIdentifier part);
    showFiles = concatMapStringsSep " and " (file: "`${file}'");
    showDefs = concatMapStrings (def:
      let
        # Of a value that cannot be shown the file is.
        shown = builtins.tryEval (builtins.addErrorContext "while evaluating a definition from `${def.file}':"
          (toPretty { } (withRecursion { depthLimit = 10; throwOnDepthLimit = false; } def.value)));
        lines = splitString "\n" shown.value;
        few = if length lines > 5 then take 5 lines ++ [ "..." ] else lines;
      in
      "\n- In `${def.file}'" + lib.strings.optionalString shown.success
        (if length lines == 1 then ": ${shown.value}" else ":\n    ${concatStringsSep "\n    " few}"));
    showOptionWithDefLocs = option: ''
      ${self.showOption option.loc}, with values defined in:
      ${concatMapStringsSep "\n" (file: "  - ${file}") option.files}
    '';
    unknownModule = "<unknown-file>";

    # Text to show in place of a value.
    literalExpression = text:
      if isString text then { _type = "literalExpression"; inherit text; }
      else throw "literalExpression expects a string.";
    literalMD = text:
      if isString text then { _type = "literalMD"; inherit text; } else throw "literalMD expects a string.";
    literalExample = self.literalExpression;
    mdDoc = lib.trivial.id;
    renderOptionValue = value:
      if value ? _type && value ? text then value
      else self.literalExpression (toPretty { allowPrettyValues = true; } value);

    # A value without what is within its derivations.
    scrubOptionValue = value:
      if isDerivation value then { type = "derivation"; drvPath = value.name; outPath = value.name; inherit (value) name; }
      else if isList value then map self.scrubOptionValue value
      else if isAttrs value then builtins.mapAttrs (_: self.scrubOptionValue) (removeAttrs value [ "_args" ])
      else value;

    # All options below a set of them, those of submodules too, as documentation wants them.
    optionAttrSetToDocList = self.optionAttrSetToDocList' [ ];
    optionAttrSetToDocList' = _: options: concatMap
      (option:
        let
          visible = option.visible or true;
          rendered = name: value: builtins.addErrorContext
            "while evaluating the ${name} of option `${self.showOption option.loc}':"
            (self.renderOptionValue value);
          below = option.type.getSubOptions option.loc;
        in
        [
          ({
            inherit (option) loc;
            name = self.showOption option.loc;
            description = option.description or null;
            declarations = filter (file: file != self.unknownModule) option.declarations;
            internal = option.internal or false;
            visible = if isBool visible then visible else visible == "shallow";
            readOnly = option.readOnly or false;
            type = option.type.description or "unspecified";
          }
          // optionalAttrs (option ? example) { example = rendered "example" option.example; }
          // (
            if option ? defaultText then { default = rendered "defaultText" option.defaultText; }
            else if option ? default then { default = rendered "default" option.default; }
            else if option.type.emptyValue ? value && option.type.getSubModules == null then
              { default = rendered "default" option.type.emptyValue.value; }
            else { }
          )
          // optionalAttrs (option.relatedPackages or null != null) { inherit (option) relatedPackages; })
        ]
        ++ optionals ((if isBool visible then visible else visible == "transparent") && below != { })
          (self.optionAttrSetToDocList' option.loc below))
      (collect self.isOption options);
  };

  mend = "Use `lib.mkForce value` or `lib.mkDefault value` to change the priority on any of these definitions.";
in
self
