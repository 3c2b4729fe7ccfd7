# What the module system does beyond the answers of lib-answers.json.
lib:
let
  inherit (lib) evalModules mkAfter mkBefore mkDefault mkDefinition mkForce mkIf mkMerge mkOption mkOrder types;

  evaluate = modules: evalModules { inherit modules; };
  # What definitions of a type make.
  merged = type: definitions:
    (evaluate ([{ options.value = mkOption { inherit type; }; }] ++ map (value: { inherit value; }) definitions));
  value = type: definitions: (merged type definitions).config.value;
  # Must not be looked at.
  never = abort "this is overridden";
in
{
  testAPriorityAmongOneNameAlone = {
    expr = value (types.attrListOf types.str) [
      (mkMerge [
        [ { x = mkDefault never; } (mkOrder 500 { x = mkForce "early"; }) (mkAfter { y = "late"; }) ]
        { x = lib.mkOverride 100 never; z = mkOrder 100 "first"; w = mkIf false never; }
      ])
    ];
    expected = [ { z = "first"; } { x = "early"; } { y = "late"; } ];
  };
  testAnOrderAroundAndWithinAPriority = {
    expr = value (types.attrListOf types.str) [
      (mkMerge [
        { x = mkOrder 1500 (mkForce "outside"); y = "middle"; }
        { x = mkForce (mkBefore "inside"); }
      ])
    ];
    expected = [ { x = "inside"; } { y = "middle"; } { x = "outside"; } ];
  };
  testNamesOfAListAsASet = {
    expr =
      let
        type = types.attrListWith {
          elemType = types.int;
          asAttrs = true;
          mergeAttrValues = _: lib.foldl' builtins.add 0;
        };
        e = merged type [ [ { a = 1; } { b = 2; } { a = mkBefore 3; } ] ];
      in
      [ e.config.value e.options.value.valueMeta.attrListValue ];
    expected = [ { a = 4; b = 2; } [ { a = 3; } { a = 1; } { b = 2; } ] ];
  };

  testADefinitionSaysItsFileInEveryWrapping = {
    expr = (merged types.lines [
      (mkMerge [
        (mkDefinition { file = "one"; value = mkForce (mkAfter "1"); })
        (mkForce (mkDefinition { file = "two"; value = "2"; }))
      ])
    ]).options.value.definitionsWithLocations;
    expected = [ { file = "two"; value = "2"; } { file = "one"; value = "1"; } ];
  };
  testAnAliasKeepsTheFile = {
    expr = (evaluate [
      (lib.mkAliasOptionModule [ "old" ] [ "new" ])
      { options.new.sub = mkOption { type = types.lines; }; }
      { _file = "old.nix"; old.sub = "x"; }
    ]).options.new.sub.files;
    expected = [ "old.nix" ];
  };
  testWhetherAnOptionIsDefinedIsKnownBeforeItsValue = {
    expr =
      let e = evaluate [{ options.a = mkOption { default = throw "not now"; }; }];
      in [ e.options.a.isDefined e.options.a.highestPrio ];
    expected = [ true 1500 ];
  };

  testTypesOfTwoDeclarationsMeet = {
    expr =
      let
        documented = a: b:
          let type = a.typeMerge b.functor;
          in if type == null then null else map (option: lib.showOption option.loc)
            (lib.filter (option: lib.last option.loc == "x") (lib.collect lib.isOption (type.getSubOptions [ "o" ])));
        sub = types.submodule { options.x = mkOption { }; };
        by = placeholder: types.attrsWith { elemType = sub; inherit placeholder; };
      in
      [
        (documented (types.attrsOf sub) (by "id"))
        (documented (by "id") (types.attrsOf (types.submodule { })))
        (documented (by "id") (by "key"))
        (documented (types.attrsOf sub) (types.lazyAttrsOf sub))
        (documented (types.attrListOf sub) (types.attrListOf sub))
      ];
    expected = [ [ "o.<id>.x" ] [ "o.<id>.x" ] null null null ];
  };
  testATypeMadeAsTheyWereOnceMeetsItself = {
    expr =
      let
        box = elemType: lib.mkOptionType {
          name = "box";
          functor = lib.defaultFunctor "box" // { wrapped = elemType; type = box; };
          nestedTypes = { inherit elemType; };
        };
        meet = a: b: ((box a).typeMerge (box b).functor).nestedTypes.elemType.name or null;
      in
      [ (meet types.int types.int) (meet types.int types.str) ];
    expected = [ "int" null ];
  };

  testFreeformTypesOfTwoModulesAreOne = {
    expr =
      let
        kind = name: types.attrsOf (types.submodule { options.${name} = mkOption { default = name; }; });
        e = evaluate [ { freeformType = kind "a"; } { freeformType = kind "b"; } { x.a = "set"; } { y = { }; } ];
      in
      e.config;
    expected = { x = { a = "set"; b = "b"; }; y = { a = "a"; b = "b"; }; };
  };
  testAnOptionByWhichOtherOptionsThereAre = {
    expr = (evaluate [
      ({ options, ... }: { config = if options ? b then { a = "with b"; } else { }; })
      { options.a = mkOption { }; options.b = mkOption { }; }
    ]).config.a;
    expected = "with b";
  };
  testAnOptionMadeOfAnotherOne = {
    expr = (evaluate [
      ({ config, ... }: {
        options = { declaration = mkOption { type = types.optionDeclaration; }; made = config.declaration; };
        config = { declaration = mkOption { type = types.int; }; made = 10; };
      })
    ]).config.made;
    expected = 10;
  };
  testAnEvaluationWithinAnotherOne = {
    expr = (evaluate [
      {
        options.sub = mkOption {
          default = { };
          type = types.submodule ({ extendModules, ... }: {
            options.value = mkOption { type = types.int; default = 0; };
            options.special = mkOption {
              default = { };
              inherit (extendModules { modules = [{ special = lib.mkOverride 0 { }; }]; }) type;
            };
          });
        };
        config.sub = { ... }: { config.special.value = 1; };
      }
    ]).config.sub.special.value;
    expected = 1;
  };

  testTheArgumentsOfFormerTimes = {
    expr = (evalModules {
      check = false;
      args.given = 3;
      modules = [ ({ given, ... }: { options.a = mkOption { default = given; }; config.undeclared = 1; }) ];
    }).config;
    expected = { a = 3; };
  };
  testWhatIsImportedByWhat = {
    expr =
      let
        e = evaluate [
          { key = "a"; imports = [ { } { key = "c"; } ]; }
          { key = "b"; disabledModules = [{ key = "c"; }]; }
        ];
        shown = map ({ key, imports, disabled, ... }: { inherit key disabled; imports = shown imports; });
      in
      shown e.graph;
    expected = [
      {
        key = "a";
        disabled = false;
        imports = [
          { key = "a:anon-1"; disabled = false; imports = [ ]; }
          { key = "c"; disabled = true; imports = [ ]; }
        ];
      }
      { key = "b"; disabled = false; imports = [ ]; }
    ];
  };
  testTheLineOfADeclaration =
    let
      module.options.a = mkOption { };
      generated.options = builtins.mapAttrs (_: mkOption) { b = { }; };
      e = evaluate [ module (generated // { _file = "generated.nix"; }) ];
      place = option: { inherit (builtins.head option.declarationPositions) file line; };
    in
    {
      expr = map place [ e.options.a e.options.b ];
      expected = [
        { inherit (builtins.unsafeGetAttrPos "a" module.options) file line; }
        { file = "generated.nix"; line = null; }
      ];
    };
  testAModuleOfAFileAndAnArgument = {
    expr = (evaluate [ (lib.modules.importApply ../modules/given.nix { name = "given"; }) ]).config;
    expected = { given = 5; };
  };
}
