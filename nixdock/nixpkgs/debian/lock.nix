# The lock of one architecture: what Debian's index says of each package. Only the shards that hold what is
# asked for are read.
{ folder }:

let
  read = file: builtins.fromJSON (builtins.readFile (folder + "/${file}.json"));
  # A shard is named by the first ten bits of the SHA256 of a package's name: two digits and a quarter.
  hex = [ "0" "1" "2" "3" "4" "5" "6" "7" "8" "9" "a" "b" "c" "d" "e" "f" ];
  quarters = builtins.listToAttrs
    (builtins.genList (n: { name = builtins.elemAt hex n; value = toString (n / 4); }) 16);
  keys = builtins.concatMap (a: builtins.concatMap (b: map (q: a + b + q) [ "0" "1" "2" "3" ]) hex) hex;
  keyOf = name:
    let hash = builtins.hashString "sha256" name;
    in builtins.substring 0 2 hash + quarters.${builtins.substring 2 1 hash};
  # One attribute per shard, so that each is read once.
  shards = builtins.listToAttrs (map (key: { name = key; value = read key; }) keys);
in
{
  about = read "index";
  names = read "names";
  has = name: shards.${keyOf name} ? ${name};
  get = name: shards.${keyOf name}.${name};

  # A function of a package's name and record, as a function of the name whose results are kept.
  memoise = f:
    let made = builtins.mapAttrs (_: builtins.mapAttrs f) shards;
    in name: made.${keyOf name}.${name};
}
