# Attribute sets as command line options.
{ lib }:

let
  self = {
    toGNUCommandLine =
      { mkOptionName ? name: if builtins.stringLength name == 1 then "-${name}" else "--${name}"
      , mkBool ? name: value: lib.lists.optional value (mkOptionName name)
      , mkList ? name: values: builtins.concatMap (mkOption name) values
      , mkOption ? name: value:
          if value == null then [ ]
          else if optionValueSeparator == null then
            [ (mkOptionName name) (lib.generators.mkValueStringDefault { } value) ]
          else
            [ "${mkOptionName name}${optionValueSeparator}${lib.generators.mkValueStringDefault { } value}" ]
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
    toCommandLine = optionFormat: options:
      builtins.concatLists (lib.attrsets.mapAttrsToList
        (name: value:
          let
            format = optionFormat name;
            one = x:
              if x == null || x == false then [ ]
              else if x == true then [ format.option ]
              else if format.sep == null then [ format.option (lib.generators.mkValueStringDefault { } x) ]
              else [ "${format.option}${format.sep}${lib.generators.mkValueStringDefault { } x}" ];
          in
          builtins.concatMap one (lib.lists.toList value))
        options);
    toCommandLineShell = optionFormat: options: lib.strings.escapeShellArgs (self.toCommandLine optionFormat options);
  };
in
self
