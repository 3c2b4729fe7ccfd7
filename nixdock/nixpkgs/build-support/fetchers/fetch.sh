# What the scripts of fetchers share; sourced by them after the environment.

# cannotFetch WHAT WHY: the one sentence of a fetch that failed.
cannotFetch() {
  local recursive=
  if [ "$outputHashMode" = recursive ]; then recursive='--recursive '; fi
  nixErrorLog "cannot fetch $1 ($2); without a network, bring it from elsewhere as a file or folder called '$name'" \
    "and put it into the store: nix-store --add-fixed ${recursive}${outputHashAlgo:-${outputHash%%-*}} $name"
  exit 1
}
