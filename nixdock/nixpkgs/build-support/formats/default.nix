# Values as configuration files: `(formats.json { }).generate "name" value`, and the types of options that hold
# such values.
{ lib, pkgs }:

let
  inherit (lib) types;

  text = import ./text.nix { inherit lib; };
  languages = import ./languages.nix { inherit lib; };

  format = { type, write, extra ? { } }: {
    inherit type;
    generate = name: value: pkgs.writeText name (write value);
  } // lib.optionalAttrs (extra != { }) { lib = extra; };
  valueOf = typeName: types.serializableValueWith { inherit typeName; };
  setOf = typeName: types.attrsOf (valueOf typeName);

  # Files of keys and values: what a value may be depends on what a list becomes.
  atom = types.nullOr (types.oneOf [ types.bool types.int types.float types.str ]) // {
    description = "INI atom (null, bool, int, float or string)";
  };
  atoms = { listsAsDuplicateKeys ? false, listToValue ? null, atomsCoercedToLists ? null, ... }:
    if listsAsDuplicateKeys then
      (if atomsCoercedToLists == true then types.coercedTo atom lib.singleton (types.listOf atom)
      else types.either atom (types.listOf atom))
    else if listToValue != null then types.either atom (types.nonEmptyListOf atom)
    else atom;
  joined = { listToValue ? null, ... }: value:
    if listToValue != null && builtins.isList value then listToValue value else value;
  forGenerator = args: removeAttrs args [ "listToValue" "atomsCoercedToLists" ];
  sections = args: builtins.mapAttrs (_: builtins.mapAttrs (_: joined args));
in
{
  json = { }: format { type = valueOf "JSON"; write = text.toJSON; };
  yaml = { }: format { type = valueOf "YAML"; write = text.toYAML; };
  yaml_1_1 = { }: format { type = valueOf "YAML 1.1"; write = text.toYAML; };
  yaml_1_2 = { }: format { type = valueOf "YAML 1.2"; write = text.toYAML; };
  toml = { }: format { type = valueOf "TOML"; write = text.toTOML; };
  xml = { format ? "badgerfish", withHeader ? true }:
    lib.throwIfNot (format == "badgerfish") "formats.xml knows the format badgerfish alone, not ${format}" {
      type = setOf "XML";
      generate = name: value: pkgs.writeText name (text.toXML { inherit withHeader; } value);
    };
  plist = { escape ? true }: format {
    type = valueOf "Property list (plist)";
    write = lib.generators.toPlist { inherit escape; };
  };

  ini = args: format {
    type = types.attrsOf (types.attrsOf (atoms args));
    write = value: lib.generators.toINI (forGenerator args) (sections args value);
  };
  iniWithGlobalSection = args: format {
    type = types.submodule {
      options = {
        sections = lib.mkOption { type = types.attrsOf (types.attrsOf (atoms args)); default = { }; };
        globalSection = lib.mkOption { type = types.attrsOf (atoms args); default = { }; };
      };
    };
    write = { sections ? { }, globalSection ? { } }:
      lib.generators.toINIWithGlobalSection (forGenerator args) {
        globalSection = builtins.mapAttrs (_: joined args) globalSection;
        sections = builtins.mapAttrs (_: builtins.mapAttrs (_: joined args)) sections;
      };
  };
  gitIni = { listsAsDuplicateKeys ? false, ... }@args: format {
    type = types.attrsOf (types.attrsOf (types.either (atoms args) (types.attrsOf (atoms args))));
    write = lib.generators.toGitINI;
  };
  keyValue = args: format {
    type = types.attrsOf (atoms args);
    write = value: lib.generators.toKeyValue (forGenerator args) (builtins.mapAttrs (_: joined args) value);
  };

  lua = { asBindings ? false, multiline ? true, columnWidth ? 100, indentWidth ? 2, indentUsingTabs ? false }: format {
    type = if asBindings then setOf "lua" else valueOf "lua";
    write = value:
      lib.optionalString (!asBindings) "return " + lib.generators.toLua { inherit asBindings multiline; } value
      + lib.optionalString (!asBindings) "\n";
    extra.mkRaw = lib.generators.mkLuaInline;
  };
  pythonVars = { }: format {
    type = setOf "Python";
    write = languages.pythonVars.text;
    extra = languages.pythonVars.lib;
  };
  php = { finalVariable ? null }: format {
    type = valueOf "PHP";
    write = languages.php.text finalVariable;
    extra = languages.php.lib;
  };
  elixirConf = { elixir ? null }: format {
    type = types.attrsOf (setOf "Elixir");
    write = languages.elixirConf.text;
    extra = languages.elixirConf.lib;
  };
  libconfig = { generator ? null, validator ? null }: format {
    type = setOf "libconfig";
    write = languages.libconfig.text;
    extra = languages.libconfig.lib;
  };
  hocon = { generator ? null, validator ? null, doCheck ? true }: format {
    type = setOf "HOCON";
    write = languages.hocon.text;
    extra = languages.hocon.lib;
  };
  javaProperties = { comment ? "Generated with Nix", boolToString ? lib.boolToString }: format {
    type = types.attrsOf (types.oneOf [ types.bool types.int types.float types.str ]);
    write = languages.javaProperties comment boolToString;
  };
}
