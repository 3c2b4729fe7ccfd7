# Sets that refer to their own final form, and the overlays that change them.
{ lib }:

let
  self = {
    # The least fixed point of a function: what it gives when given its own result.
    fix = f: let x = f x; in x;
    # As `fix`, and the function stays reachable for those who want to extend it.
    fix' = f: let x = f x // { __unfix__ = f; }; in x;
    converge = f: x: let next = f x; in if next == x then x else self.converge f next;

    # An overlay sees the finished set (`final`) and the one below it (`prev`).
    extends = overlay: f: final: let prev = f final; in prev // overlay final prev;
    composeExtensions = first: second: final: prev:
      let
        one = first final prev;
        two = second final (prev // one);
      in
      one // two;
    composeManyExtensions = overlays: final: prev:
      builtins.foldl' (below: overlay: below // overlay final (prev // below)) { } overlays;

    makeExtensible = self.makeExtensibleWithCustomName "extend";
    makeExtensibleWithCustomName = name: rattrs:
      self.fix' (final:
        rattrs final // {
          ${name} = overlay: self.makeExtensibleWithCustomName name (self.extends overlay rattrs);
        });

    # `final: prev: { }`, `prev: { }` or `{ }`: each is an extension.
    toExtension = f:
      if lib.trivial.isFunction f then
        final: prev: let g = f prev; in if lib.trivial.isFunction g then f final prev else g
      else
        _: _: f;
  };
in
self
