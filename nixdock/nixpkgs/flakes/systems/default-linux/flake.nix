# For flakes on machines that cannot fetch nix-systems/default-linux: `import inputs.systems` is the list.
{
  outputs = { self }: { };
}
