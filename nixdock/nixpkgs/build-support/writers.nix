# Scripts in several languages, as files and as programs: writeBash "name" "text", writePython3Bin "name" { } "text".
{ lib, pkgs }:

let
  # name or /path/in/output; a check runs with the file as $target.
  makeScript = interpreter: check: nameOrPath: content:
    let
      inPath = lib.hasPrefix "/" nameOrPath;
      body = if lib.isDerivation content || builtins.isPath content then builtins.readFile content else content;
    in
    pkgs.writeTextFile {
      name = baseNameOf nameOrPath;
      executable = true;
      destination = if inPath then nameOrPath else "";
      text = "#!${interpreter}\n${body}";
      checkPhase = check;
      meta.mainProgram = baseNameOf nameOrPath;
    };
  bin = make: name: make "/bin/${name}";
  # Functions that take options before the text, or the text at once.
  withOptions = make: name: options:
    if builtins.isAttrs options && !(lib.isDerivation options) then make name options else make name { } options;

  python = nameOrPath: { libraries ? [ ], flakeIgnore ? [ ], doCheck ? true, ... }: content:
    let
      interpreter = if libraries == [ ] then "${pkgs.python3}/bin/python3" else "${pkgs.python3.withPackages (_: libraries)}/bin/python3";
    in
    makeScript interpreter "${pkgs.python3}/bin/python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' \"$target\"" nameOrPath content;
  perl = nameOrPath: { libraries ? [ ], ... }: content: makeScript "${pkgs.perl}/bin/perl" "" nameOrPath content;
  jq = nameOrPath: _options: content: makeScript "${pkgs.jq}/bin/jq -f" "" nameOrPath content;
  bash = nameOrPath: _options: makeScript "${pkgs.bash}/bin/bash" "${pkgs.bash}/bin/bash -n \"$target\"" nameOrPath;
  dash = nameOrPath: _options: makeScript "${pkgs.dash}/bin/dash" "${pkgs.dash}/bin/dash -n \"$target\"" nameOrPath;

  both = name: make: {
    "write${name}" = withOptions make;
    "write${name}Bin" = bin (withOptions make);
  };
in
both "Bash" bash // both "Dash" dash // both "Python3" python // both "Perl" perl // both "Jq" jq // {
  writeJSON = name: value: pkgs.writeText name (builtins.toJSON value);
  writeYAML = name: value: pkgs.writeText name (builtins.toJSON value);
  makeScriptWriter = { interpreter, check ? "" }: makeScript interpreter (lib.optionalString (check != "") "${check} \"$target\"");
}
