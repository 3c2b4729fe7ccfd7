# Scripts in several languages, as files and as programs: writeBash "name" "text", writePython3Bin "name" { } "text".
{ lib, pkgs }:

let
  formats = import ./formats/text.nix { inherit lib; };
  # What checks runs on the machine that builds.
  tools = pkgs.buildPackages;

  # A file of content that is given as text, as a path or as a derivation.
  textOf = content: if lib.isDerivation content || builtins.isPath content then builtins.readFile content else content;
  # "name", or "/path/in/output".
  placeOf = nameOrPath: { name = baseNameOf nameOrPath; destination = if lib.hasPrefix "/" nameOrPath then nameOrPath else ""; };

  # `check` is a program that is given the file.
  makeScriptWriter = { interpreter, check ? "", makeWrapperArgs ? [ ] }: nameOrPath: content:
    let
      inherit (placeOf nameOrPath) name destination;
      script = pkgs.writeTextFile {
        inherit name destination;
        executable = true;
        text = "#!${interpreter}\n${textOf content}";
        checkPhase = lib.optionalString (check != "") "${check} \"$target\"";
        meta.mainProgram = name;
      };
    in
    if makeWrapperArgs == [ ] then script
    else
      pkgs.runCommandLocal name { nativeBuildInputs = [ pkgs.makeWrapper ]; meta.mainProgram = name; } ''
        makeWrapper ${script}${destination} "$out${destination}" ${lib.escapeShellArgs makeWrapperArgs}
      '';

  # What a compiler makes of the content, whose file is $contentPath, at $out or below it.
  makeBinWriter = { compileScript, strip ? true, makeWrapperArgs ? [ ] }: nameOrPath: content:
    let inherit (placeOf nameOrPath) name destination;
    in
    pkgs.runCommandCC name
      {
        content = textOf content;
        passAsFile = [ "content" ];
        nativeBuildInputs = lib.optional (makeWrapperArgs != [ ]) pkgs.makeWrapper;
        meta.mainProgram = name;
      } ''
      final=$out
      mkdir -p "$(dirname "$final${destination}")"
      out=$NIX_BUILD_TOP/compiled
      ${compileScript}
      mv "$out" "$final${destination}"
      out=$final
      ${lib.optionalString strip "strip --strip-unneeded \"$final${destination}\""}
      ${lib.optionalString (makeWrapperArgs != [ ]) ''
        wrapProgram "$final${destination}" ${lib.escapeShellArgs makeWrapperArgs}
      ''}
    '';

  makeDataWriter = { input ? lib.id, output ? "cp $inputPath $out" }: nameOrPath: data:
    let inherit (placeOf nameOrPath) name destination;
    in
    pkgs.runCommandLocal name { input = input data; passAsFile = [ "input" ]; } ''
      final=$out
      out=$final${destination}
      mkdir -p "$(dirname "$out")"
      ${output}
      out=$final
    '';

  # A script's options may be left out: writeBash "name" "text".
  withOptions = make: name: options:
    if builtins.isAttrs options && !lib.isDerivation options then make name options else make name { } options;
  bin = make: name: make "/bin/${name}";
  both = name: make: {
    "write${name}" = withOptions make;
    "write${name}Bin" = bin (withOptions make);
  };
  # Of those that always take options.
  bothWithOptions = name: make: { "write${name}" = make; "write${name}Bin" = bin make; };

  absent = name: sentence:
    let missing = _: throw "writers.write${name} is not in the offline package set: ${sentence}; use the real nixpkgs for this (--nixpkgs PATH)";
    in { "write${name}" = missing; "write${name}Bin" = missing; };

  plain = interpreter: check: nameOrPath: options:
    makeScriptWriter ({ inherit interpreter; } // lib.optionalAttrs (check != "") { inherit check; } // options) nameOrPath;
  bash = plain "${pkgs.bash}/bin/bash" "${tools.bash}/bin/bash -n";
  dash = plain "${pkgs.dash}/bin/dash" "${tools.dash}/bin/dash -n";
  fish = plain "${pkgs.fish}/bin/fish --no-config" "${tools.fish}/bin/fish --no-config --no-execute";
  jq = plain "${pkgs.jq}/bin/jq -f" "";

  # flake8 reads it first, as far as `flakeIgnore` lets it.
  python = nameOrPath: { libraries ? [ ], flakeIgnore ? [ ], doCheck ? true, makeWrapperArgs ? [ ] }:
    let
      ignored = lib.optionalString (flakeIgnore != [ ]) "--ignore ${lib.concatMapStringsSep "," lib.escapeShellArg flakeIgnore}";
      given = if builtins.isFunction libraries then libraries else (_: libraries);
    in
    makeScriptWriter
      {
        interpreter =
          if libraries == [ ] then "${pkgs.python3}/bin/python3" else "${pkgs.python3.withPackages given}/bin/python3";
        check = lib.optionalString doCheck "${tools.debian.flake8}/bin/flake8 --show-source ${ignored}";
        inherit makeWrapperArgs;
      }
      nameOrPath;
  perl = nameOrPath: { libraries ? [ ], ... }@options:
    makeScriptWriter (removeAttrs options [ "libraries" ] // {
      interpreter = if libraries == [ ] then "${pkgs.perl}/bin/perl" else "${pkgs.perl.withPackages (_: libraries)}/bin/perl";
    }) nameOrPath;
  ruby = nameOrPath: { libraries ? [ ], ... }@options:
    if libraries != [ ] then throw "writers.writeRuby: Debian's gems are packages of their own (pkgs.debian.ruby-NAME); the offline package set cannot put them together as `libraries`"
    else
      let program = "${pkgs.ruby or (throw "the offline package set has no ruby that writers.writeRuby could use")}/bin/ruby"; in
      plain program "${program} -c" nameOrPath (removeAttrs options [ "libraries" ]);
  lua = nameOrPath: { libraries ? [ ], ... }@options:
    if libraries != [ ] then throw "writers.writeLua: Debian's modules are packages of their own (pkgs.debian.lua-NAME); the offline package set cannot put them together as `libraries`"
    else
      let program = lib.getExe' pkgs.lua "lua"; in
      plain program "" nameOrPath (removeAttrs options [ "libraries" ]);
  javaScript = nameOrPath: { libraries ? [ ], ... }@options:
    let
      modules = lib.concatMapStringsSep ":" (library: "${library}/lib/node_modules") libraries;
    in
    makeScriptWriter (removeAttrs options [ "libraries" ] // {
      interpreter = "${pkgs.nodejs}/bin/node";
      check = "${tools.nodejs}/bin/node --check";
      makeWrapperArgs = options.makeWrapperArgs or [ ] ++ lib.optionals (libraries != [ ]) [ "--prefix" "NODE_PATH" ":" modules ];
    }) nameOrPath;
  rust = nameOrPath: { rustc ? pkgs.rustc, rustcArgs ? [ ], strip ? true, makeWrapperArgs ? [ ] }:
    makeBinWriter
      {
        inherit strip makeWrapperArgs;
        compileScript = ''
          cp "$contentPath" main.rs
          ${rustc}/bin/rustc ${lib.escapeShellArgs rustcArgs} -o "$out" main.rs
        '';
      }
      nameOrPath;
in
both "Bash" bash // both "Dash" dash // both "Fish" fish // both "Jq" jq // both "Rust" rust // both "Perl" perl
// bothWithOptions "Python3" python // bothWithOptions "JS" javaScript // bothWithOptions "Ruby" ruby
// bothWithOptions "Lua" lua
// absent "Haskell" "Debian's GHC and its packages are not made to run in the store"
// absent "Nim" "Debian's Nim is not made to run in the store"
// absent "Nu" "Debian has no Nushell"
// absent "Babashka" "Debian has no Babashka"
// absent "Guile" "Debian's Guile is not made to find its modules in the store"
// absent "FSharp" "Debian has no .NET"
// absent "PyPy2" "Debian has no PyPy for Python 2"
// absent "PyPy3" "Debian's PyPy is not made to run in the store"
// {
  inherit makeScriptWriter makeBinWriter makeDataWriter;
  makePythonWriter = _python: _pythonPackages: _buildPythonPackages: python;

  writeText = makeDataWriter { };
  writeJSON = name: data: pkgs.writeTextFile (placeOf name // { text = formats.toJSON data; });
  writeYAML = name: data: pkgs.writeTextFile (placeOf name // { text = formats.toYAML data; });
  writeTOML = name: data: pkgs.writeTextFile (placeOf name // { text = formats.toTOML data; });
  # As it is: nothing reads it before nginx does.
  writeNginxConfig = name: text: pkgs.writeTextFile (placeOf name // { inherit text; });
}
