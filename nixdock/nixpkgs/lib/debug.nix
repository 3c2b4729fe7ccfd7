# Looking at values while they are evaluated.
{ lib }:

let
  inherit (builtins) trace isAttrs isList mapAttrs deepSeq;

  # Cuts a value below a depth, so that a trace of a large one ends.
  cut = depth: value:
    let sign = text: { __pretty = _: text; val = null; };
    in
    if isAttrs value then
      (if value.type or null == "derivation" then sign "<derivation ${value.name or "?"}>"
      else if depth == 0 then sign "{…}"
      else mapAttrs (_: cut (depth - 1)) value)
    else if isList value then
      (if depth == 0 then sign "[…]" else map (cut (depth - 1)) value)
    else value;

  show = lib.generators.toPretty { allowPrettyValues = true; };

  self = {
    traceIf = condition: message: value: if condition then trace message value else value;
    traceValFn = f: value: trace (f value) value;
    traceVal = self.traceValFn (x: x);
    traceSeq = shown: value: trace (deepSeq shown shown) value;
    traceSeqN = depth: shown: value:
      trace (lib.generators.toPretty { allowPrettyValues = true; } (cut depth shown)) value;
    traceValSeqFn = f: value: self.traceValFn f (deepSeq value value);
    traceValSeq = self.traceValSeqFn (x: x);
    traceValSeqNFn = f: depth: value: self.traceSeqN depth (f value) value;
    traceValSeqN = self.traceValSeqNFn (x: x);
    traceFnSeqN = depth: name: f: argument:
      let result = f argument;
      in self.traceSeqN (depth + 1) { fn = name; from = argument; to = result; } result;

    # Tests are { name = { expr; expected; }; }; what does not hold is returned, so [ ] is success.
    # They are those whose name begins with "test", or those that the list `tests` names.
    runTests = tests:
      let chosen = tests.tests or [ ];
      in
      builtins.concatMap
        (name:
          let
            test = tests.${name};
            runs = if chosen == [ ] then builtins.substring 0 4 name == "test" else builtins.elem name chosen;
          in
          if runs && test.expr != test.expected then
            [{ inherit name; inherit (test) expected; result = test.expr; }]
          else
            [ ])
        (builtins.attrNames (removeAttrs tests [ "tests" ]));
    # null where none failed.
    throwTestFailures = { failures, description ? "tests", ... }:
      if failures == [ ] then null
      else throw (
        "${toString (builtins.length failures)} ${description} failed:\n- ${
          lib.strings.concatMapStringsSep "\n- "
            (one: "${one.name}: got ${show one.result}, expected ${show one.expected}")
            failures}\n\n"
        + builtins.toJSON failures);
    # A test that all of a list are true.
    testAllTrue = expr: { inherit expr; expected = map (_: true) expr; };
  };
in
self
