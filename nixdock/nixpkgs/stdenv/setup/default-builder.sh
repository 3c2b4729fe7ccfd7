# What Nix starts: read the environment's functions, then run the phases.
# Nix 2.8 tells its own name of the file, not the one inside the sandbox.
for _file in "${NIX_ATTRS_SH_FILE-}" "$NIX_BUILD_TOP/.attrs.sh"; do
  if [ -f "$_file" ]; then
    source "$_file"
    break
  fi
done
source "$stdenv/setup"
genericBuild
