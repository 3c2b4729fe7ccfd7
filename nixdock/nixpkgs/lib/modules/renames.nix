# Modules for options that have another name, are gone, or mean something else.
{ lib }:

let
  inherit (lib.attrsets) attrByPath getAttrFromPath optionalAttrs setAttrByPath;
  inherit (lib.lists) optional;
  inherit (lib.modules) mkAliasAndWrapDefinitions mkAliasAndWrapDefsWithPriority mkIf mkMerge;
  inherit (lib.options) mkOption showFiles showOption;
  inherit (lib.trivial) id warn warnIf;

  obsolete = from: to: "Obsolete option `${showOption from}' is used. It was renamed to `${showOption to}'.";
  warnings = options: texts: optionalAttrs (options ? warnings) { warnings = texts; };

  # What an option is taken to be that nobody sets: not null, which may be set.
  unset = "_mkMergedOptionModule";

  self = {
    doRename = { from, to, visible, warn, use, withPriority ? true, condition ? true }:
      { config, options, ... }:
      let
        fromOption = getAttrFromPath from options;
        toType = (attrByPath to { } options).type or (lib.types.submodule { });
        wrap = if withPriority then mkAliasAndWrapDefsWithPriority else mkAliasAndWrapDefinitions;
      in
      {
        options = setAttrByPath from (mkOption {
          inherit visible;
          description = "Alias of {option}`${showOption to}`.";
          type = toType;
          apply = _: use (attrByPath to (abort "Renaming error: option `${showOption to}' does not exist.") config);
        });
        config = mkIf condition (mkMerge [
          (warnings options (optional (warn && fromOption.isDefined)
            "The option `${showOption from}' defined in ${showFiles fromOption.files} has been renamed to `${showOption to}'."))
          (wrap (setAttrByPath to) fromOption)
        ]);
      };

    mkAliasOptionModule = from: to: self.doRename { inherit from to; visible = true; warn = false; use = id; };
    mkAliasOptionModuleMD = self.mkAliasOptionModule;

    mkRenamedOptionModule = from: to:
      self.doRename { inherit from to; visible = false; warn = true; use = builtins.trace (obsolete from to); };

    # Says nothing as long as some release that is still in use has the old name alone.
    mkRenamedOptionModuleWith = { from, to, sinceRelease }:
      let isOld = lib.trivial.oldestSupportedReleaseIsAtLeast sinceRelease;
      in self.doRename { inherit from to; visible = false; warn = isOld; use = warnIf isOld (obsolete from to); };

    mkRemovedOptionModule = name: instead: { options, ... }:
      let option = getAttrFromPath name options;
      in {
        options = setAttrByPath name (mkOption {
          visible = false;
          apply = _: throw "The option `${showOption name}' can no longer be used since it's been removed. ${instead}";
        });
        config.assertions = [{
          assertion = !option.isDefined;
          message = ''
            The option definition `${showOption name}' in ${showFiles option.files} no longer has any effect; please remove it.
            ${instead}
          '';
        }];
      };

    mkChangedOptionModule = from: self.mkMergedOptionModule [ from ];
    mkMergedOptionModule = froms: to: merge: { config, options, ... }:
      let used = builtins.filter (from: getAttrFromPath from config != unset) froms;
      in {
        options = builtins.foldl' lib.attrsets.recursiveUpdate { } (map
          (from: setAttrByPath from (mkOption {
            visible = false;
            # Their own type is theirs to say, if anybody's.
            default = unset;
          }))
          froms);
        config = mkMerge [
          (warnings options (map
            (from: "The option `${showOption from}' defined in ${showFiles (getAttrFromPath from options).files} has been changed to `${showOption to}' that has a different type. Please read `${showOption to}' documentation and update your configuration accordingly.")
            used))
          (setAttrByPath to (mkMerge (optional (used != [ ]) (merge config))))
        ];
      };
  };
in
self
