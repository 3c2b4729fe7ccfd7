# Texts and scripts as store paths.
{ lib, builder, pkgs }:

let
  plainDerivation = import ./plain-derivation.nix { inherit lib; };

  # By the static busybox alone, so that a text costs no package; with checks, by a build environment.
  writeFile = { checkPhase ? "", buildInputs ? [ ], nativeBuildInputs ? [ ], ... }@attrs:
    if checkPhase == "" && buildInputs == [ ] && nativeBuildInputs == [ ] then
      derivation (attrs // {
        inherit (pkgs.buildPlatform) system;
        builder = "${builder.bootstrap}/bin/busybox";
        args = [ "sh" "-e" ./write-text.sh ];
      })
    else
      pkgs.stdenvNoCC.mkDerivation (attrs // {
        buildCommand = ''
          source ${./write-text.sh}
          eval "$checkPhase"
        '';
      });

  self = {
    # name, text, executable, destination (a path below the output, "" for the output itself), checkPhase
    # (shell, with the file as $target), meta.
    writeTextFile =
      { name ? if pname != null && version != null then "${pname}-${version}" else throw "writeTextFile needs `name`, or `pname` and `version`"
      , pname ? null
      , version ? null
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
        matches = builtins.match "/bin/([^/]+)" destination;
        description = lib.optionalAttrs (executable && matches != null) { mainProgram = builtins.head matches; } // meta;
      in
      assert lib.assertMsg (destination == "" || lib.hasPrefix "/" destination)
        "writeTextFile of ${name}: destination must begin with a slash, as in \"/etc/motd\"";
      plainDerivation writeFile ({
        name = lib.strings.sanitizeDerivationName name;
        inherit allowSubstitutes preferLocalBuild destination;
        text =
          if builtins.isFunction text || builtins.isAttrs text && !(text ? outPath || text ? __toString) then
            throw "writeTextFile of ${name}: the text must be a string, but it is a ${builtins.typeOf text}"
          else if builtins.isPath text then "${text}"
          else toString text;
        executable = if executable then "1" else "";
        passAsFile = [ "text" ] ++ derivationArgs.passAsFile or [ ];
        passthru = lib.filterAttrs (_: value: value != null) { inherit pname version; } // passthru;
        meta = description;
      }
      // lib.optionalAttrs (checkPhase != "") { inherit checkPhase; }
      // removeAttrs derivationArgs [ "passAsFile" ]);

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
      let
        path = "${lib.makeBinPath runtimeInputs}${lib.optionalString inheritPath ":$PATH"}";
      in
      self.writeTextFile {
        inherit name passthru derivationArgs;
        meta = { mainProgram = name; } // meta;
        executable = true;
        destination = "/bin/${name}";
        allowSubstitutes = true;
        preferLocalBuild = false;
        text = ''
          #!${pkgs.runtimeShell}
          ${lib.concatMapStringsSep "\n" (option: "set -o ${option}") bashOptions}
        ''
        + lib.optionalString (runtimeEnv != null)
          (lib.concatStrings (lib.mapAttrsToList (key: value: "${lib.toShellVar key value}\nexport ${key}\n") runtimeEnv))
        + lib.optionalString (runtimeInputs != [ ] || !inheritPath) ''

          export PATH="${path}"
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

    # What is beside an expression, in the store.
    copyPathToStore = builtins.filterSource (_path: _type: true);
    copyPathsToStore = map self.copyPathToStore;

    # { name = value; }: JSON and friends as files.
    formats = import ./formats { inherit lib pkgs; };
    writers = import ./writers.nix { inherit lib pkgs; };

    runtimeShell = "${pkgs.bash}/bin/bash";
    runtimeShellPackage = pkgs.bash;
  };
in
self
