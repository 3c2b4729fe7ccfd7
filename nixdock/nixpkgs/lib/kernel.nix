# Options of a kernel's configuration.
{ lib }:

{
  yes = { tristate = "y"; optional = false; };
  no = { tristate = "n"; optional = false; };
  module = { tristate = "m"; optional = false; };
  unset = { tristate = null; optional = false; };
  freeform = text: { freeform = text; optional = false; };
  # It is no error where a kernel does not know it.
  option = value: value // { optional = true; };

  whenHelpers = version: {
    whenAtLeast = since: lib.modules.mkIf (lib.strings.versionAtLeast version since);
    whenOlder = before: lib.modules.mkIf (lib.strings.versionOlder version before);
    whenBetween = since: before:
      lib.modules.mkIf (lib.strings.versionAtLeast version since && lib.strings.versionOlder version before);
  };
}
