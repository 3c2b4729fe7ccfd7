# What nixdock wants to know of the value of an expression before anything of it is built.
#
# A target is a derivation, or a set or list of them as `nix-build` takes it: of a set the attributes
# that are derivations, nested sets only where they say `recurseForDerivations`; of a list everything.
# `up` and `load` build a tarball's `.stream` instead where there is one: the same image, never
# written as an archive.
#
# This file is read as text too, where a flake is evaluated: it must not import anything.
{
  # What --arg and --argstr gave, for functions that stand where an image should.
  arguments ? { },
  # Attribute paths, each a list of names; the value itself is the empty one.
  attributes ? [ [ ] ],
  # Whether to read the `nixdock` attribute, and with it what its checks need.
  expectations ? false,
  # Whether to offer `.stream`.
  streams ? false,
}:
let
  inherit (builtins) attrNames concatMap elemAt filter functionArgs head isAttrs isFunction isList isString length match tail;

  isDerivation = value: isAttrs value && value.type or null == "derivation";

  # builtins.functionArgs cannot tell `{ }: x` from `y: x`, nor `{ a }: x` from `{ a, ... }: x`.
  takesSet = function: hasText "<attrspat" (builtins.toXML function);
  takesAll = function: hasText "<attrspat ellipsis=" (builtins.toXML function);
  hasText = text: whole: length (builtins.split text whole) > 1;

  # Call a function as Nix does where a value is wanted: with its defaults and what the user gave.
  call =
    at: value:
    if isAttrs value && value ? __functor && !isDerivation value then
      call at (value.__functor value)
    else if isFunction value && takesSet value then
      let
        formals = functionArgs value;
        lacking = filter (name: !formals.${name} && !(arguments ? ${name})) (attrNames formals);
      in
      if lacking != [ ] then
        {
          problem = {
            kind = "argument";
            inherit at;
            names = lacking;
            position = builtins.unsafeGetAttrPos (head lacking) formals;
          };
        }
      else
        call at (value (if takesAll value then arguments else builtins.intersectAttrs formals arguments))
    else
      { inherit value; };

  # Follow an attribute path; numbers are places in a list.
  select =
    at: path: value:
    let
      called = call at value;
      here = called.value;
      name = head path;
      further = select (at ++ [ name ]) (tail path);
      place = builtins.fromJSON name;
    in
    if called ? problem || path == [ ] then
      called
    else if isList here && match "0|[1-9][0-9]{0,8}" name != null && place < length here then
      further (elemAt here place)
    else if isAttrs here && here ? ${name} then
      further here.${name}
    else
      {
        problem = {
          kind = if isAttrs here || isList here then "attribute" else "leaf";
          inherit at name;
          type = builtins.typeOf here;
          names = if isAttrs here then attrNames here else [ ];
          length = if isList here then length here else 0;
        };
      };

  # The derivations below a value, each with its attribute path, or a problem.
  find =
    at: value:
    if isDerivation value then
      [ (describe at value) ]
    else if isList value then
      builtins.concatLists (
        builtins.genList (
          place:
          let
            inner = at ++ [ (toString place) ];
            called = call inner (elemAt value place);
          in
          if called ? problem then [ called ] else find inner called.value
        ) (length value)
      )
    else if isAttrs value then
      concatMap (
        name:
        let
          inner = value.${name};
        in
        if isDerivation inner then
          [ (placed (builtins.unsafeGetAttrPos name value) (describe (at ++ [ name ]) inner)) ]
        else if isAttrs inner && inner.recurseForDerivations or false == true then
          find (at ++ [ name ]) inner
        else
          [ ]
      ) (filter (name: match "[A-Za-z_][A-Za-z0-9_+-]*" name != null) (attrNames value))
    else
      [ (misfit at value) ];

  # What stands there instead of an image; short values are shown.
  misfit = at: value: {
    problem = {
      kind = "type";
      inherit at;
      type = builtins.typeOf value;
      shown =
        if isString value || builtins.isInt value || builtins.isFloat value || builtins.isBool value then
          builtins.unsafeDiscardStringContext (builtins.substring 0 60 (builtins.toJSON value))
        else
          null;
      names = if isAttrs value then attrNames value else [ ];
    };
  };

  # nixdock tells the place where Nix itself has none in the user's file: of images that need one another.
  placed =
    place: described:
    if place == null then
      described
    else
      builtins.addErrorContext
        "while describing what is at ${place.file}:${toString place.line}:${toString place.column}"
        (builtins.deepSeq described described);

  textOf = value: if isString value then value else null;

  outputOf = derivation: {
    derivation = derivation.drvPath;
    output = derivation.outputName;
    path = derivation.outPath;
  };

  describe =
    at: image:
    let
      stream = image.stream or null;
      # Checks name programs: the store paths in them are built with the image.
      wanted = builtins.toJSON (image.nixdock or null);
      needs = builtins.getContext wanted;
    in
    outputOf image
    // {
      attribute = at;
      name = textOf (image.name or null);
      image_name = textOf (image.imageName or null);
      image_tag = textOf (image.imageTag or null);
      executable = image.isExe or false == true;
      stream = if streams && isDerivation stream && stream.isExe or false == true then outputOf stream else null;
    }
    // (
      if expectations then
        {
          expectations = builtins.fromJSON (builtins.unsafeDiscardStringContext wanted);
          needs = concatMap (
            path:
            let
              need = needs.${path};
            in
            if need ? outputs then map (output: "${path}!${output}") need.outputs else [ path ]
          ) (attrNames needs);
        }
      else
        { }
    );

  found =
    value:
    concatMap (
      path:
      let
        selected = select [ ] path value;
        images = find path selected.value;
      in
      if selected ? problem then
        [ selected ]
      else if images == [ ] then
        [ (misfit path selected.value) ]
      else
        images
    ) attributes;
in
found
