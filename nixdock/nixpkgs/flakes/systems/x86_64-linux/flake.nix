# For flakes on machines that cannot fetch nix-systems/x86_64-linux: `import inputs.systems` is the list.
{
  outputs = { self }: { };
}
