# Named pieces of text that must come in an order, as activation scripts are made of.
{ lib }:

let
  self = {
    textClosureList = pieces: wanted:
      let
        walk = state: names:
          if names == [ ] then
            state
          else
            let
              name = builtins.head names;
              rest = builtins.tail names;
              piece = pieces.${name};
              below = walk (state // { seen = state.seen // { ${name} = true; }; }) piece.deps;
            in
            if state.seen ? ${name} then walk state rest
            else if builtins.isString piece then
              walk { seen = state.seen // { ${name} = true; }; text = state.text ++ [ piece ]; } rest
            else
              walk (below // { text = below.text ++ [ piece.text ]; }) rest;
      in
      (walk { seen = { }; text = [ ]; } wanted).text;
    textClosureMap = f: pieces: wanted:
      lib.strings.concatStringsSep "\n" (map f (self.textClosureList pieces wanted));
    noDepEntry = text: { inherit text; deps = [ ]; };
    fullDepEntry = text: deps: { inherit text deps; };
    packEntry = deps: { inherit deps; text = ""; };
    stringAfter = deps: text: { inherit text deps; };
  };
in
self
