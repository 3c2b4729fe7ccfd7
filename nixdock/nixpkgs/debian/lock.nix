# The lock of one architecture: what Debian's index says of a package. Only the shards of the packages that
# are asked for are read.
{ folder }:

let
  read = file: builtins.fromJSON (builtins.readFile (folder + "/${file}.json"));
  # One attribute per shard, so that each is read once.
  hex = [ "0" "1" "2" "3" "4" "5" "6" "7" "8" "9" "a" "b" "c" "d" "e" "f" ];
  keys = builtins.concatMap (a: builtins.concatMap (b: map (c: a + b + c) hex) hex) hex;
  shards = builtins.listToAttrs (map (key: { name = key; value = read key; }) keys);
  shardOf = name: shards.${builtins.substring 0 3 (builtins.hashString "sha256" name)};
in
{
  about = read "index";
  names = read "names";
  has = name: shardOf name ? ${name};
  get = name: (shardOf name).${name};
}
