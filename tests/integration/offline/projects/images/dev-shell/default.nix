{ pkgs ? import <nixpkgs> { } }:

pkgs.dockerTools.streamNixShellImage {
  name = "dev-shell";
  tag = "latest";
  drv = pkgs.mkShell {
    buildInputs = with pkgs; [ jq gnumake ];
    GREETING = "from the shell";
    shellHook = ''
      export ANSWER=42
    '';
  };
  run = ''
    make --version | head -n 1
    echo "$ANSWER $GREETING" | jq -R .
  '';
}
