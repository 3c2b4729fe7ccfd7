# Functions that fit nowhere else: composition, logic, numbers, messages, and what is known of a function.
{ lib }:

let
  inherit (builtins) functionArgs hasAttr isAttrs isFunction isInt isString;

  self = {
    id = x: x;
    const = x: _: x;
    flip = f: a: b: f b a;
    pipe = value: functions: builtins.foldl' (x: f: f x) value functions;
    concat = x: y: x ++ y;
    mapNullable = f: x: if x == null then null else f x;
    defaultTo = default: x: if x == null then default else x;
    mergeAttrs = x: y: x // y;

    or = x: y: x || y;
    and = x: y: x && y;
    xor = x: y: (!x) != (!y);
    boolToString = b: if b then "true" else "false";
    boolToYesNo = b: if b then "yes" else "no";

    inherit (builtins)
      pathExists readFile isBool isInt isFloat add sub lessThan seq deepSeq genericClosure bitAnd bitOr bitXor
      ceil floor;

    min = x: y: if x < y then x else y;
    max = x: y: if x > y then x else y;
    mod = base: int: base - int * (base / int);
    compare = a: b: if a < b then -1 else if a > b then 1 else 0;
    splitByAndCompare = p: yes: no: a: b:
      if p a then (if p b then yes a b else -1) else if p b then 1 else no a b;

    bitNot = n: -1 - n;

    importJSON = path: builtins.fromJSON (builtins.readFile path);
    importTOML = path: builtins.fromTOML (builtins.readFile path);
    readPathsFromFile = root: file:
      map (line: root + "/${line}")
        (builtins.filter (line: line != "" && builtins.substring 0 1 line != "#")
          (lib.strings.splitString "\n" (builtins.readFile file)));

    release = "25.11";
    codeName = "nixdock";
    oldestSupportedRelease = 2505;
    isInOldestRelease = release: release <= self.oldestSupportedRelease;
    oldestSupportedReleaseIsAtLeast = release: release <= self.oldestSupportedRelease;
    versionSuffix = "offline";
    version = self.release + self.versionSuffix;
    revisionWithDefault = default: default;

    inNixShell = builtins.getEnv "IN_NIX_SHELL" != "";
    inPureEvalMode = !(builtins ? currentSystem);

    # Where warnings are to end the evaluation, the trace says where it came from.
    warn =
      if builtins.elem (builtins.getEnv "NIX_ABORT_ON_WARN") [ "1" "true" "yes" ] then
        message: _: builtins.trace "evaluation warning: ${message}"
          (abort "NIX_ABORT_ON_WARN=true; warnings are treated as unrecoverable errors.")
      else message: builtins.trace "evaluation warning: ${message}";
    warnIf = condition: message: if condition then self.warn message else self.id;
    warnIfNot = condition: self.warnIf (!condition);
    info = message: value: builtins.trace "INFO: ${message}" value;
    showWarnings = warnings: value: builtins.foldl' (rest: message: self.warn message rest) value warnings;

    throwIf = condition: message: if condition then throw message else self.id;
    throwIfNot = condition: message: if condition then self.id else throw message;

    checkListOfEnum = what: valid: given:
      let unknown = builtins.filter (x: !(builtins.elem x valid)) given;
      in
      if unknown == [ ] then
        self.id
      else
        throw "${what}: ${lib.strings.concatMapStringsSep ", " toString unknown} unexpected; valid ones: ${lib.strings.concatMapStringsSep ", " toString valid}";

    # A function that knows its arguments although it was not written with them, as `builtins.functionArgs`
    # only answers for a literal `{ a, b }:`.
    setFunctionArgs = f: args: {
      __functor = _: f;
      __functionArgs = args;
    };
    functionArgs = f:
      if f ? __functor then f.__functionArgs or (self.functionArgs (f.__functor f)) else functionArgs f;
    isFunction = f: isFunction f || (f ? __functor && self.isFunction (f.__functor f));
    mirrorFunctionArgs = f:
      let args = self.functionArgs f;
      in g: self.setFunctionArgs g args;
    toFunction = v: if self.isFunction v then v else _: v;

    fromHexString = text:
      let digits = builtins.match "(0x)?([0-9a-fA-F]+)" text;
      in
      if digits == null then throw "lib.trivial.fromHexString: \"${text}\" is not a number in hexadecimal digits"
      else (builtins.fromTOML "v=0x${builtins.elemAt digits 1}").v;
    toHexString = number:
      lib.strings.concatMapStrings (digit: builtins.elemAt hexDigits digit) (self.toBaseDigits 16 number);
    toBaseDigits = base: number:
      let
        digits = rest: if rest < base then [ rest ] else digits (rest / base) ++ [ (self.mod rest base) ];
      in
      assert isInt base && base >= 2;
      assert isInt number && number >= 0;
      digits number;

    pathOrString = x: builtins.isPath x || isString x;

    # `{ a = ...; } // rest` for sets that must not meet.
    unionOfDisjoint = x: y:
      let both = builtins.intersectAttrs x y;
      in
      x // y // builtins.mapAttrs
        (name: _: throw "unionOfDisjoint: collision on ${name}; complete list: ${toString (builtins.attrNames both)}")
        both;

    nixpkgsVersion = self.version;
    importFrom = set: name: if isAttrs set && hasAttr name set then set.${name} else null;
  };

  hexDigits = lib.strings.stringToCharacters "0123456789ABCDEF";
in
removeAttrs self [ "importFrom" "pathOrString" ]
