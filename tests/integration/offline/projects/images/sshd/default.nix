{ pkgs ? import <nixpkgs> { } }:

let
  config = pkgs.writeText "sshd_config" ''
    Port 2222
    HostKey /etc/ssh/host_key
    PidFile none
    UsePAM no
    Subsystem sftp ${pkgs.openssh}/libexec/sftp-server
  '';
in
pkgs.dockerTools.buildLayeredImage {
  name = "sshd";
  contents = [ pkgs.bashInteractive pkgs.coreutils pkgs.openssh ];
  enableFakechroot = true;
  fakeRootCommands = ''
    ${pkgs.dockerTools.shadowSetup}
    groupadd --system sshd
    useradd --system --gid sshd --home-dir /var/empty --shell /bin/false sshd
    useradd --create-home --shell /bin/bash --uid 1000 ann
    mkdir -p /var/empty /run/sshd /etc/ssh
    ${pkgs.openssh}/bin/ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/host_key
  '';
  config = {
    Cmd = [ "${pkgs.openssh}/bin/sshd" "-D" "-e" "-f" config ];
    ExposedPorts."2222/tcp" = { };
  };
}
