# Assertions that say what they want.
{ lib }:

let
  show = values: lib.generators.toPretty { } values;
  self = {
    # `assert` shows only source text; this throws a sentence.
    assertMsg = condition: message: condition || throw message;
    assertOneOf = name: value: choices:
      self.assertMsg (builtins.elem value choices)
        "${name} must be one of ${show choices}, but is: ${show value}";
    assertEachOneOf = name: values: choices:
      self.assertMsg (builtins.all (value: builtins.elem value choices) values)
        "each element in ${name} must be one of ${show choices}, but is: ${show values}";
    # [ { assertion; message; } ], and sentences that are told where all hold.
    checkAssertWarn = assertions: warnings: value:
      let failed = map (one: one.message) (builtins.filter (one: !one.assertion) assertions);
      in
      if failed != [ ] then throw "\nFailed assertions:\n${lib.strings.concatMapStringsSep "\n" (text: "- ${text}") failed}"
      else lib.trivial.showWarnings warnings value;
  };
in
self
