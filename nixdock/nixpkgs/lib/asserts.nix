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
  };
in
self
