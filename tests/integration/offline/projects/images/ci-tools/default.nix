with import <nixpkgs> { config.allowUnfree = true; };

dockerTools.buildLayeredImage {
  name = "ci-tools";
  tag = "latest";
  maxLayers = 60;
  contents = [
    dockerTools.usrBinEnv
    dockerTools.binSh
    dockerTools.caCertificates
    dockerTools.fakeNss
    (buildEnv {
      name = "tools";
      paths = [ bashInteractive coreutils-full curl gitMinimal gnugrep gnused gnutar gzip jq openssh which findutils ];
      pathsToLink = [ "/bin" "/share" ];
    })
  ];
  extraCommands = ''
    mkdir -p tmp root work
    chmod 1777 tmp
  '';
  config = {
    Env = [ "PATH=/bin" "HOME=/root" "GIT_SSL_CAINFO=/etc/ssl/certs/ca-bundle.crt" ];
    WorkingDir = "/work";
    Cmd = [ "/bin/sh" ];
  };
}
