# The lock of one architecture: what Debian's index says of each package. Only the shards that hold what is
# asked for are read.
{ folder }:

let
  read = file: builtins.fromJSON (builtins.readFile (folder + "/${file}.json"));
  # A shard is named by the first ten bits of the SHA256 of a package's name: two digits and a quarter.
  hex = [ "0" "1" "2" "3" "4" "5" "6" "7" "8" "9" "a" "b" "c" "d" "e" "f" ];
  quarters = builtins.listToAttrs
    (builtins.genList (n: { name = builtins.elemAt hex n; value = toString (n / 4); }) 16);
  each = digits: f: builtins.listToAttrs (map (digit: { name = digit; value = f digit; }) digits);
  # One attribute per shard, so that each is read once; of the branches that nobody asks for there is none.
  shards = each hex (a: each hex (b: each [ "0" "1" "2" "3" ] (quarter: read (a + b + quarter))));
  shardOf = tree: name:
    let
      hash = builtins.hashString "sha256" name;
      digit = place: builtins.substring place 1 hash;
    in
    tree.${digit 0}.${digit 1}.${quarters.${digit 2}};
in
{
  about = read "index";
  names = read "names";
  has = name: shardOf shards name ? ${name};
  get = name: (shardOf shards name).${name};

  # A function of a package's name and record, as a function of the name whose results are kept.
  memoise = f:
    let
      inEach = g: builtins.mapAttrs (_: g);
      made = inEach (inEach (inEach (builtins.mapAttrs f))) shards;
    in
    name: (shardOf made name).${name};
}
