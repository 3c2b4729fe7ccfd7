# Texts and scripts as store paths.
{ lib, builder, pkgs }:

let
  self = {
    # name, text, executable, destination (a path below the output, "" for the output itself), checkPhase
    # (shell, with the file as $target), meta.
    writeTextFile =
      { name
      , text
      , executable ? false
      , destination ? ""
      , checkPhase ? ""
      , meta ? { }
      , passthru ? { }
      , allowSubstitutes ? false
      , preferLocalBuild ? true
      , derivationArgs ? { }
      }:
      let
        common = {
          inherit text allowSubstitutes preferLocalBuild;
          passAsFile = [ "text" ];
          executable = if executable then "1" else "";
          inherit destination;
        };
        description = { inherit name; } // lib.optionalAttrs (executable && destination != "") { mainProgram = baseNameOf destination; } // meta;
      in
      assert lib.assertMsg (destination == "" || lib.hasPrefix "/" destination)
        "writeTextFile of ${name}: destination must begin with a slash, as in \"/etc/motd\"";
      if checkPhase == "" && derivationArgs == { } then
        lib.extendDerivation true ({ meta = description; } // passthru) (derivation (common // {
          name = lib.strings.sanitizeDerivationName name;
          inherit (pkgs.buildPlatform) system;
          builder = "${builder.bootstrap}/bin/busybox";
          args = [ "sh" "-e" ./write-text.sh ];
        }))
      else
        pkgs.stdenvNoCC.mkDerivation (common // {
          name = lib.strings.sanitizeDerivationName name;
          buildCommand = ''
            source ${./write-text.sh}
            eval "$checkPhase"
          '';
          inherit checkPhase passthru;
          meta = description;
        } // derivationArgs);

    writeText = name: text: self.writeTextFile { inherit name text; };
    # name is the file, with its folders: writeTextDir "share/motd" "hello".
    writeTextDir = path: text: self.writeTextFile {
      name = baseNameOf path;
      inherit text;
      destination = "/${path}";
    };
    writeScript = name: text: self.writeTextFile { inherit name text; executable = true; };
    writeScriptBin = name: text: self.writeTextFile {
      inherit name text;
      executable = true;
      destination = "/bin/${name}";
    };
    writeShellScript = name: text: self.writeTextFile {
      inherit name;
      executable = true;
      text = ''
        #!${pkgs.runtimeShell}
        ${text}
      '';
    };
    writeShellScriptBin = name: text: self.writeTextFile {
      inherit name;
      executable = true;
      destination = "/bin/${name}";
      text = ''
        #!${pkgs.runtimeShell}
        ${text}
      '';
      meta.mainProgram = name;
    };
    # A script that ends at the first failure, with its programs on the PATH, and read by shellcheck before.
    writeShellApplication =
      { name
      , text
      , runtimeInputs ? [ ]
      , runtimeEnv ? null
      , meta ? { }
      , passthru ? { }
      , checkPhase ? null
      , excludeShellChecks ? [ ]
      , extraShellCheckFlags ? [ ]
      , bashOptions ? [ "errexit" "nounset" "pipefail" ]
      , derivationArgs ? { }
      , inheritPath ? true
      }:
      self.writeTextFile {
        inherit name passthru derivationArgs;
        meta = { mainProgram = name; } // meta;
        executable = true;
        destination = "/bin/${name}";
        text = ''
          #!${pkgs.runtimeShell}
          ${lib.concatMapStringsSep "\n" (option: "set -o ${option}") bashOptions}
        ''
        + lib.optionalString (runtimeEnv != null)
          (lib.concatStrings (lib.mapAttrsToList (key: value: "${lib.toShellVar key value}\nexport ${key}\n") runtimeEnv))
        + lib.optionalString (runtimeInputs != [ ]) ''

          export PATH="${lib.makeBinPath runtimeInputs}${lib.optionalString inheritPath ":$PATH"}"
        ''
        + ''

          ${text}
        '';
        checkPhase = if checkPhase != null then checkPhase else ''
          runHook preCheck
          ${pkgs.stdenvNoCC.shellDryRun} "$target"
          ${import ./shellcheck.nix { inherit pkgs; }} ${lib.escapeShellArgs (
            lib.optionals (excludeShellChecks != [ ]) [ "--exclude" (lib.concatStringsSep "," excludeShellChecks) ]
            ++ extraShellCheckFlags)} "$target"
          runHook postCheck
        '';
      };

    concatTextFile = { name, files, executable ? false, destination ? "", checkPhase ? "", meta ? { }, passthru ? { } }:
      pkgs.runCommandLocal name { inherit files executable destination checkPhase meta passthru; } ''
        target=$out$destination
        mkdir -p "$(dirname "$target")"
        cat $files >"$target"
        if [ -n "$executable" ]; then chmod +x "$target"; fi
        eval "$checkPhase"
      '';
    concatText = name: files: self.concatTextFile { inherit name files; };
    concatScript = name: files: self.concatTextFile { inherit name files; executable = true; };

    # { name = value; }: JSON and friends as files.
    formats = import ./formats { inherit lib pkgs; };
    writers = import ./writers.nix { inherit lib pkgs; };

    runtimeShell = "${pkgs.bash}/bin/bash";
    runtimeShellPackage = pkgs.bash;
  };
in
self
