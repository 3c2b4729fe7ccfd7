# The root of an evaluation: the value of the user's file or expression, described by describe.nix.
#
# Nix passes every --arg and --argstr to a function with an ellipsis, so the user's own arrive here
# as they were typed, beside nixdock's two. Where the evaluation is to tell what it reads, each
# expression arrives as a function of the names that do so (command.py).
{
  # What to describe, as JSON: `file`, or null for the expression; where it is to tell what it reads `traced`;
  # and what describe.nix takes.
  nixdockRequest,
  # The user's -E.
  nixdockExpression ? null,
  ...
}@given:
let
  request = builtins.fromJSON nixdockRequest;
  traced = import ./traced.nix { inherit (request.traced) roots; };
  evaluate = if request ? traced then traced.import else import;
  valueOf = expression: if request ? traced then expression traced.scope else expression;
in
import ./describe.nix
  (
    removeAttrs request [
      "file"
      "traced"
    ]
    // {
      arguments = builtins.mapAttrs (
        name: value: if builtins.elem name request.traced.expressions or [ ] then valueOf value else value
      ) (
        removeAttrs given [
          "nixdockRequest"
          "nixdockExpression"
        ]
      );
    }
  )
  (if request.file == null then valueOf nixdockExpression else evaluate (/. + request.file))
