# Flakes have flake-compat among their inputs for the default.nix beside them; their outputs ask nothing of it.
{
  outputs = { self }: { };
}
