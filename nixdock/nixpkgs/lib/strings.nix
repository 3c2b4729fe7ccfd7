# Text.
{ lib }:

let
  inherit (builtins)
    concatStringsSep elemAt filter genList head isInt isList isString match replaceStrings split stringLength substring
    tail;

  lower = self.stringToCharacters "abcdefghijklmnopqrstuvwxyz";
  upper = self.stringToCharacters "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

  # The bytes that may be written as they are, as a set for quick asking.
  asciiTable = import ./ascii.nix;

  self = {
    inherit (builtins)
      compareVersions concatStringsSep elem elemAt filter fromJSON genList head isInt isList isAttrs isPath isString match
      parseDrvName readFile replaceStrings split storeDir stringLength substring tail toJSON typeOf unsafeDiscardStringContext;

    # Joining and cutting.
    concatStrings = concatStringsSep "";
    concatMapStrings = f: list: concatStringsSep "" (map f list);
    concatImapStrings = f: list: concatStringsSep "" (lib.lists.imap1 f list);
    concatMapStringsSep = sep: f: list: concatStringsSep sep (map f list);
    concatImapStringsSep = sep: f: list: concatStringsSep sep (lib.lists.imap1 f list);
    concatMapAttrsStringSep = sep: f: set: concatStringsSep sep (lib.attrsets.mapAttrsToList f set);
    concatLines = self.concatMapStrings (line: line + "\n");
    intersperse = sep: list:
      if list == [ ] then [ ] else tail (builtins.concatMap (x: [ sep x ]) list);
    join = concatStringsSep;
    replicate = n: text: self.concatStrings (lib.lists.replicate n text);
    splitString = sep: text:
      let
        # The context of the text belongs to every piece of it; `split` drops it.
        pieces = filter isString (split (self.escapeRegex (toString sep)) (toString text));
      in
      map (self.addContextFrom text) pieces;
    # Cuts before each character of which `cut before now` holds; `keep` says whether that character stays.
    splitStringBy = cut: keep: text:
      let
        char = i: if i < 0 then "" else substring i 1 text;
        cuts = filter (i: cut (char (i - 1)) (char i)) (genList (i: i) (stringLength text));
        starts = [ 0 ] ++ map (i: if keep then i else i + 1) cuts;
      in
      lib.lists.zipListsWith (start: end: substring start (end - start) text) starts (cuts ++ [ (stringLength text) ]);
    stringToCharacters = text: genList (i: substring i 1 text) (stringLength text);
    stringAsChars = f: text: self.concatMapStrings f (self.stringToCharacters text);
    charToInt = char: asciiTable.${char} or (throw "lib.strings.charToInt: '${char}' is not ASCII");
    optionalString = condition: text: if condition then text else "";

    hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
    hasSuffix = suffix: text:
      let
        whole = stringLength text;
        end = stringLength suffix;
      in
      whole >= end && substring (whole - end) whole text == suffix;
    # Not by a regular expression: those of Nix recurse by character and overflow on a long text.
    hasInfix = infix: text: infix == "" || replaceStrings [ infix ] [ "" ] "${text}" != "${text}";
    removePrefix = prefix: text:
      if self.hasPrefix prefix text then substring (stringLength prefix) (-1) text else text;
    removeSuffix = suffix: text:
      if self.hasSuffix suffix text then substring 0 (stringLength text - stringLength suffix) text else text;
    commonPrefixLength = a: b:
      let
        n = lib.trivial.min (stringLength a) (stringLength b);
        from = i: if i >= n || substring i 1 a != substring i 1 b then i else from (i + 1);
      in
      from 0;
    commonSuffixLength = a: b:
      let
        n = lib.trivial.min (stringLength a) (stringLength b);
        at = text: i: substring (stringLength text - i - 1) 1 text;
        from = i: if i >= n || at a i != at b i then i else from (i + 1);
      in
      from 0;

    trim = self.trimWith { start = true; end = true; };
    trimWith = { start ? false, end ? false }: text:
      let
        isSpace = i: builtins.elem (substring i 1 text) [ " " "\t" "\r" "\n" ];
        from = i: if i < stringLength text && isSpace i then from (i + 1) else i;
        upTo = i: if i > first && isSpace (i - 1) then upTo (i - 1) else i;
        first = if start then from 0 else 0;
        last = if end then upTo (stringLength text) else stringLength text;
      in
      substring first (last - first) text;

    toLower = replaceStrings upper lower;
    toUpper = replaceStrings lower upper;
    lowerChars = lower;
    upperChars = upper;
    toSentenceCase = text:
      lib.trivial.throwIfNot (isString text) "toSentenceCase does only accepts string values, but got ${builtins.typeOf text}"
        (self.addContextFrom text (self.toUpper (substring 0 1 text) + self.toLower (substring 1 (-1) text)));
    toCamelCase = text:
      let
        words = builtins.concatMap (self.splitStringBy (before: now: match "[a-z]" before != null && match "[A-Z]" now != null) true)
          (self.splitStringBy (_: now: builtins.elem now [ "-" "_" " " ]) false text);
        inner = builtins.concatStringsSep "" (map self.toSentenceCase (tail words));
      in
      lib.trivial.throwIfNot (isString text) "toCamelCase does only accepts string values, but got ${builtins.typeOf text}"
        (self.addContextFrom text (self.toLower (head words) + inner));

    replaceString = from: to: replaceStrings [ from ] [ to ];
    replaceChars = replaceStrings;
    addContextFrom = source: target: substring 0 0 source + target;

    # Quoting for other languages.
    escape = chars: replaceStrings chars (map (c: "\\${c}") chars);
    escapeC = chars:
      replaceStrings chars
        (map (c: "\\x${self.fixedWidthString 2 "0" (self.toLower (lib.trivial.toHexString (self.charToInt c)))}") chars);
    escapeRegex = self.escape (self.stringToCharacters "\\[{()^$?*+|.");
    escapeNixString = text: self.escape [ "$" ] (builtins.toJSON text);
    escapeNixIdentifier = text:
      if match "[a-zA-Z_][a-zA-Z0-9_'-]*" text != null && !(builtins.elem text keywords) then text
      else self.escapeNixString text;
    escapeShellArg = value:
      let text = toString value;
      in
      if match "[[:alnum:],._+:@%/-]+" text == null then "'${replaceStrings [ "'" ] [ "'\\''" ] text}'" else text;
    escapeShellArgs = self.concatMapStringsSep " " self.escapeShellArg;
    escapeURL =
      let
        plain = self.stringToCharacters "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
        reserved = removeAttrs asciiTable plain;
        names = builtins.attrNames reserved;
      in
      replaceStrings names
        (map (c: "%" + self.fixedWidthString 2 "0" (lib.trivial.toHexString reserved.${c})) names);
    escapeXML =
      replaceStrings [ "\"" "'" "<" ">" "&" ] [ "&quot;" "&apos;" "&lt;" "&gt;" "&amp;" ];
    isValidPosixName = name: match "[a-zA-Z_][a-zA-Z0-9_]*" name != null;
    toShellVar = name: value:
      lib.trivial.throwIfNot (self.isValidPosixName name) "toShellVar: ${name} is not a valid shell variable name" (
        if builtins.isAttrs value && !self.isStringLike value then
          "declare -A ${name}=(${self.concatMapAttrsStringSep " " (key: v: "[${self.escapeShellArg key}]=${self.escapeShellArg v}") value})"
        else if isList value then
          "declare -a ${name}=(${self.escapeShellArgs value})"
        else
          "${name}=${self.escapeShellArg value}");
    toShellVars = set: concatStringsSep "\n" (lib.attrsets.mapAttrsToList self.toShellVar set);

    # Values as text.
    isStringLike = x: isString x || builtins.isPath x || x ? outPath || x ? __toString;
    isConvertibleWithToString = x:
      isString x || builtins.isPath x || x == null || isInt x || builtins.isFloat x || builtins.isBool x
      || (isList x && builtins.all self.isConvertibleWithToString x) || x ? outPath || x ? __toString;
    isCoercibleToString = self.isConvertibleWithToString;
    isSimpleString = x: isString x && builtins.getContext x == { };
    # A path in the store itself (not below one), or what stands for one whose hash is not known before it is built.
    isStorePath = x:
      self.isStringLike x
      && (let text = toString x;
      in substring 0 1 text == "/" && (dirOf text == builtins.storeDir || match "/[0-9a-z]{52}" text != null));
    fixedWidthString = width: fill: text:
      let missing = width - stringLength text;
      in
      assert lib.asserts.assertMsg (missing >= 0)
        "fixedWidthString: requested string length (${toString width}) must not be shorter than actual length (${toString (stringLength text)})";
      self.replicate (if fill == "" then 0 else missing) fill + text;
    floatToString = number:
      let text = toString number;
      in
      lib.trivial.warnIf (builtins.fromJSON text != number) "Imprecise conversion from float to string ${text}" text;
    fixedWidthNumber = width: n: self.fixedWidthString width "0" (toString n);
    toInt = text:
      let
        found = match "[[:space:]]*(-?(0|[1-9][0-9]*))[[:space:]]*" text;
        octal = match "[[:space:]]*-?0[0-9]+[[:space:]]*" text;
      in
      if octal != null then throw "toInt: Ambiguity in interpretation of ${self.escapeNixString text} between octal and zero padded integer."
      else if found == null then throw "toInt: Could not convert ${self.escapeNixString text} to int."
      else builtins.fromJSON (head found);
    toIntBase10 = text:
      let found = match "[[:space:]]*(-?)0*([0-9]+)[[:space:]]*" text;
      in
      if found == null then throw "toIntBase10: Could not convert ${self.escapeNixString text} to int."
      else builtins.fromJSON (head found + elemAt found 1);
    readPathsFromFile = lib.trivial.readPathsFromFile;
    fileContents = file: self.removeSuffix "\n" (builtins.readFile file);
    levenshtein = levenshteinRows;
    levenshteinAtMost = k: a: b: self.levenshtein a b <= k;

    sanitizeDerivationName = text:
      let
        # Nix allows these bytes alone, no leading dot, and at most 211 bytes.
        clean = concatStringsSep "-"
          (filter (x: isString x) (split "[^[:alnum:]+._?=-]+" (builtins.unsafeDiscardStringContext (toString text))));
        body = head (match "\\.*(.*)" clean);
        kept = substring (lib.trivial.max (stringLength body - 207) 0) (-1) body;
      in
      if kept == "" then "unknown" else kept;

    # Names, versions, search paths, flags.
    getName = x: if isString x then (builtins.parseDrvName x).name else x.pname or (builtins.parseDrvName x.name).name;
    getVersion = x: if isString x then (builtins.parseDrvName x).version else x.version or (builtins.parseDrvName x.name).version;
    nameFromURL = url: sep:
      let file = lib.lists.last (self.splitString "/" url);
        name = head (self.splitString sep file);
      in
      assert name != file;
      name;
    versionOlder = a: b: builtins.compareVersions b a == 1;
    versionAtLeast = a: b: !self.versionOlder a b;
    makeSearchPath = sub: paths: concatStringsSep ":" (map (path: path + "/" + sub) (filter (x: x != null) paths));
    makeSearchPathOutput = output: sub: packages:
      self.makeSearchPath sub (map (lib.attrsets.getOutput output) packages);
    makeLibraryPath = self.makeSearchPathOutput "lib" "lib";
    makeIncludePath = self.makeSearchPathOutput "dev" "include";
    makeBinPath = self.makeSearchPathOutput "bin" "bin";
    normalizePath = path: self.concatStrings (lib.lists.flatten (dropDoubled "/" (self.stringToCharacters path)));
    cmakeOptionType = type: name: value:
      assert builtins.elem (self.toUpper type) [ "BOOL" "FILEPATH" "PATH" "STRING" "INTERNAL" "LIST" ];
      assert isString name && isString value;
      "-D${name}:${self.toUpper type}=${value}";
    cmakeBool = name: value:
      assert builtins.isBool value;
      self.cmakeOptionType "bool" name (if value then "TRUE" else "FALSE");
    cmakeFeature = self.cmakeOptionType "string";
    mesonOption = name: value: assert isString name && isString value; "-D${name}=${value}";
    mesonBool = name: value: assert builtins.isBool value; self.mesonOption name (lib.trivial.boolToString value);
    mesonEnable = name: value:
      assert builtins.isBool value;
      self.mesonOption name (if value then "enabled" else "disabled");
    enableFeature = flag: name:
      assert builtins.isBool flag && isString name;
      "--${if flag then "enable" else "disable"}-${name}";
    enableFeatureAs = flag: name: value: self.enableFeature flag name + self.optionalString flag "=${value}";
    withFeature = flag: name: "--${if flag then "with" else "without"}-${name}";
    withFeatureAs = flag: name: value: self.withFeature flag name + self.optionalString flag "=${value}";
  };

  keywords = [ "assert" "else" "if" "in" "inherit" "let" "or" "rec" "then" "with" ];

  dropDoubled = char: chars:
    lib.lists.imap0 (i: c: if c == char && i > 0 && elemAt chars (i - 1) == char then [ ] else [ c ]) chars;

  levenshteinRows = a: b:
    let
      width = stringLength b;
      first = genList (j: j) (width + 1);
      step = row: i:
        builtins.foldl'
          (new: j:
            let
              cost = if substring i 1 a == substring j 1 b then 0 else 1;
              least = lib.trivial.min (lib.trivial.min (lib.lists.last new + 1) (elemAt row (j + 1) + 1)) (elemAt row j + cost);
            in
            new ++ [ least ])
          [ (i + 1) ]
          (genList (j: j) width);
    in
    lib.lists.last (builtins.foldl' step first (genList (i: i) (stringLength a)));
in
self
