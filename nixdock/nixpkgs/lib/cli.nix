# Attribute sets as command line options.
{ lib }:

let
  valueText = lib.generators.mkValueStringDefault { };

  self = {
    # `formatOf name` is { option; sep; explicitBool; formatArg ? }: how an option is written, and what stands between
    # it and its value (null: a word of its own). A list gives the option once for each element; null gives nothing.
    toCommandLine = formatOf: options:
      let
        render = name: value:
          let
            format = formatOf name;
            argument = (format.formatArg or valueText) value;
          in
          if value == null then [ ]
          else if builtins.isList value then builtins.concatMap (render name) value
          else if builtins.isBool value && !format.explicitBool then lib.lists.optional value format.option
          else if format.sep == null then [ format.option argument ]
          else [ (format.option + format.sep + argument) ];
      in
      builtins.concatLists (lib.attrsets.mapAttrsToList render options);
    toCommandLineShell = formatOf: options: lib.strings.escapeShellArgs (self.toCommandLine formatOf options);

    # -x, -xVALUE, --long, --long=VALUE.
    toCommandLineGNU =
      { isLong ? (name: builtins.stringLength name > 1)
      , explicitBool ? false
      , formatArg ? valueText
      }:
      self.toCommandLine (name: {
        option = if isLong name then "--${name}" else "-${name}";
        sep = if isLong name then "=" else "";
        inherit explicitBool formatArg;
      });
    toCommandLineShellGNU = settings: options: lib.strings.escapeShellArgs (self.toCommandLineGNU settings options);

    # The older ones, whose settings make the words themselves.
    toGNUCommandLine =
      { mkOptionName ? name: if builtins.stringLength name == 1 then "-${name}" else "--${name}"
      , mkBool ? name: value: lib.lists.optional value (mkOptionName name)
      , mkList ? name: values: builtins.concatMap (mkOption name) values
      , mkOption ? name: value:
          if value == null then [ ]
          else if optionValueSeparator == null then [ (mkOptionName name) (valueText value) ]
          else [ "${mkOptionName name}${optionValueSeparator}${valueText value}" ]
      , optionValueSeparator ? null
      }: options:
      let
        render = name: value:
          if builtins.isBool value then mkBool name value
          else if builtins.isList value then mkList name value
          else mkOption name value;
      in
      builtins.concatLists (lib.attrsets.mapAttrsToList render options);
    toGNUCommandLineShell = settings: options:
      lib.strings.escapeShellArgs (self.toGNUCommandLine settings options);
  };
in
self
