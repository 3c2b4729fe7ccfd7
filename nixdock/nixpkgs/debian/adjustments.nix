# What Debian's packages lack as store paths, by unit. Without an entry a unit is its packages, patched.
#
#   links    what update-alternatives, a postinst or the essential packages would have made: place = target
#   needs    packages to refer to that Debian does not name as a dependency
#   without  dependencies that an image does not need
#   drop     patterns of files to leave out
{
  bash.links."bin/sh" = "bin/bash";
  # Programs find these at a path of their own system only.
  libc6.drop = [ "lib/*/gconv/*" ];
}
