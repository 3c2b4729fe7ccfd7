# The root of an evaluation: the value of the user's file or expression, described by describe.nix.
#
# Nix passes every --arg and --argstr to a function with an ellipsis, so the user's own arrive here
# as they were typed, beside nixdock's two.
{
  # What to describe, as JSON: `file`, or null for the expression, and what describe.nix takes.
  nixdockRequest,
  # The user's -E.
  nixdockExpression ? null,
  ...
}@given:
let
  request = builtins.fromJSON nixdockRequest;
in
import ./describe.nix
  (
    removeAttrs request [ "file" ]
    // {
      arguments = removeAttrs given [
        "nixdockRequest"
        "nixdockExpression"
      ];
    }
  )
  (if request.file == null then nixdockExpression else import (/. + request.file))
