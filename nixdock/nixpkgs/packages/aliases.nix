# Other names of packages that are there.
{ final, ... }:

{
  bashInteractive = final.bash;
  dig = final.bind;
  emacs-nox = final.emacs;
  gitMinimal = final.git;
  netcat-openbsd = final.netcat;
  procps-ng = final.procps;
}
