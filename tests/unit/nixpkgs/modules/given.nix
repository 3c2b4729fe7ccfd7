# A module of an argument.
{ name }: { lib, ... }: {
  options.${name} = lib.mkOption { default = 5; };
}
