# For flakes on machines that cannot fetch nix-systems/aarch64-linux: `import inputs.systems` is the list.
{
  outputs = { self }: { };
}
