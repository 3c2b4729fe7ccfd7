# For flakes on machines that cannot fetch nix-systems/default: `import inputs.systems` is the list.
{
  outputs = { self }: { };
}
