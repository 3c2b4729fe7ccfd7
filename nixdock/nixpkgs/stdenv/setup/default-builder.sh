# What Nix starts: read the environment's functions, then run the phases, or the builder that is named.
# Nix 2.8 tells its own names of these files, not those inside the sandbox.
for _file in "${NIX_ATTRS_SH_FILE-}" "$NIX_BUILD_TOP/.attrs.sh"; do
  if [ -f "$_file" ]; then
    source "$_file"
    export NIX_ATTRS_SH_FILE=$_file NIX_ATTRS_JSON_FILE=${_file%.sh}.json
    break
  fi
done
source "$stdenv/setup"
if [ -n "${1-}" ]; then
  source "$1"
else
  genericBuild
fi
