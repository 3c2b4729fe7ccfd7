{ pkgs ? import <nixpkgs> { } }:

let
  perl = pkgs.perl.withPackages (p: with p; [ JSON TryTiny ]);
  script = pkgs.writeTextFile {
    name = "report";
    executable = true;
    destination = "/bin/report";
    text = ''
      #!${perl}/bin/perl
      use strict;
      use warnings;
      use JSON;
      use Try::Tiny;
      my $error = try { die "no\n" } catch { $_ };
      chomp $error;
      print JSON->new->canonical->encode({ answer => 42, error => $error }), "\n";
    '';
  };
in
pkgs.dockerTools.buildLayeredImage {
  name = "perl-report";
  contents = [ script ];
  config.Cmd = [ "report" ];
}
