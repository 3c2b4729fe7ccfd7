# streamNixShellImage: the environment that nix-shell would give for a derivation, as an image.
{ lib, pkgs, check, as, stream }:

let
  wanted = with check.shapes; {
    name = string;
    tag = orNull string;
    uid = digits;
    gid = digits;
    homeDirectory = string;
    shell = text;
    command = orNull text;
    run = orNull text;
  };

  # `where` is the function that was called.
  make = where: check.called where (
    { drv
    , name ? drv.name + "-env"
    , tag ? null
    , uid ? 1000
    , gid ? 1000
    , homeDirectory ? "/build"
    , shell ? "${pkgs.bashInteractive}/bin/bash"
      # Shell text to run as if it had been typed, and to end with.
    , command ? null
      # The same without a prompt: a script.
    , run ? null
    }@args:

    assert check.drv where args;
    assert !(drv.drvAttrs.__structuredAttrs or false)
      || check.fault where args "drv" "${drv.name} has __structuredAttrs, whose environment is no list of variables";
    assert check.arguments where wanted args;
    assert command == null || run == null
      || check.fault where args "run" "command and run are two ways to give the same; give one of them";

    let
      buildDirectory = "/build";

      # Attributes as Nix gives them to a builder.
      text = value:
        if value == null || value == false then ""
        else if value == true then "1"
        else if builtins.isList value then lib.concatMapStringsSep " " text value
        else if builtins.isPath value then "${value}"
        else toString value;

      attributes = removeAttrs drv.drvAttrs [ "args" "builder" "passAsFile" "name" "system" "outputs" "__ignoreNulls" ];
      inFiles = drv.drvAttrs.passAsFile or [ ];
      fileVariables = lib.mapAttrs'
        (key: value: lib.nameValuePair "${key}Path" "${pkgs.writeText "pass-as-text-${key}" (text value)}")
        (lib.getAttrs inFiles attributes);
      outputs = drv.outputs or [ "out" ];
      # The outputs are to be built in the image, so they must not be in it.
      outputVariables = lib.genAttrs outputs (output: builtins.unsafeDiscardStringContext drv.${output}.outPath);
      variables = builtins.mapAttrs (_: text) (removeAttrs attributes inFiles) // fileVariables // outputVariables // {
        name = drv.name;
        system = drv.system;
        outputs = text outputs;
        builder = text drv.drvAttrs.builder;
      };

      # Runs the derivation's own builder.
      buildDerivation = pkgs.writeShellScriptBin "buildDerivation" ''
        exec ${lib.escapeShellArg (text drv.drvAttrs.builder)} ${lib.escapeShellArgs (map text drv.drvAttrs.args)}
      '';
      staticPath = "${dirOf shell}:${lib.makeBinPath [ buildDerivation ]}";

      rcfile = pkgs.writeText "nix-shell-rc" ''
        unset PATH
        dontAddDisableDepTrack=1
        [ -e "$stdenv/setup" ] && source "$stdenv/setup"
        PATH=${staticPath}:"$PATH"
        SHELL=${lib.escapeShellArg shell}
        BASH=${lib.escapeShellArg shell}
        set +e
        [ -n "$PS1" ] && PS1='\n\[\033[1;32m\][nix-shell:\w]\$\[\033[0m\] '
        if [ "$(type -t runHook)" = function ]; then
          runHook shellHook
        fi
        unset NIX_ENFORCE_PURITY
        shopt -u nullglob
        shopt -s execfail
        ${lib.optionalString (command != null) command}
        ${lib.optionalString (run != null) run}
        ${lib.optionalString (command != null || run != null) "exit"}
      '';
    in
    as where stream {
      inherit name tag;
      contents = [
        pkgs.dockerTools.binSh
        pkgs.dockerTools.usrBinEnv
        (pkgs.dockerTools.fakeNss.override {
          extraPasswdLines = [ "nixbld:x:${toString uid}:${toString gid}:Build user:${homeDirectory}:/noshell" ];
          extraGroupLines = [ "nixbld:!:${toString gid}:" ];
        })
      ];

      # A store and a Nix of the user's own.
      fakeRootCommands = ''
        mkdir -p ./nix/store ./nix/var/nix ./etc/nix .${buildDirectory}
        chown ${toString uid}:${toString gid} ./nix/store ./nix/var/nix ./etc/nix .${buildDirectory}
        printf 'sandbox = false\n' > ./etc/nix/nix.conf
      '' + lib.optionalString (!(builtins.elem homeDirectory [ buildDirectory "/homeless-shelter" ])) ''
        mkdir -p .${homeDirectory}
        chown ${toString uid}:${toString gid} .${homeDirectory}
      '';

      config = {
        User = "${toString uid}:${toString gid}";
        Cmd = if run == null then [ shell "--rcfile" rcfile ] else [ shell rcfile ];
        WorkingDir = buildDirectory;
        Env = lib.mapAttrsToList (key: value: "${key}=${value}") ({
          SSL_CERT_FILE = "${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt";
          NIX_SSL_CERT_FILE = "${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt";
          NIX_STORE = builtins.storeDir;
          NIX_BUILD_CORES = "1";
        } // variables // {
          PATH = staticPath;
          HOME = homeDirectory;
          TERM = "xterm-256color";
        } // lib.genAttrs [ "NIX_BUILD_TOP" "TMPDIR" "TEMPDIR" "TMP" "TEMP" "PWD" ] (_: buildDirectory));
      };
    }
  );
in
make "streamNixShellImage" // { calledAs = make; }
