# Lists.
{ lib }:

let
  inherit (builtins) concatLists elem elemAt filter foldl' genList head isList length sort tail;

  self = {
    inherit (builtins)
      all any concatLists concatMap elem elemAt filter genList groupBy head isList length map partition sort
      tail;

    # In every version of Nix the start is looked at, too.
    foldl' = f: start: list: builtins.seq start (foldl' f start list);

    singleton = x: [ x ];
    forEach = list: f: map f list;
    foldr = f: start: list:
      let
        count = length list;
        from = i: if i == count then start else f (elemAt list i) (from (i + 1));
      in
      from 0;
    fold = self.foldr;
    # Lazy in its start and in between, unlike `foldl'`.
    foldl = f: start: list:
      let upTo = i: if i < 0 then start else f (upTo (i - 1)) (elemAt list i);
      in upTo (length list - 1);

    imap0 = f: list: genList (i: f i (elemAt list i)) (length list);
    imap1 = f: list: genList (i: f (i + 1) (elemAt list i)) (length list);
    ifilter0 = keep: list:
      map (i: elemAt list i) (filter (i: keep i (elemAt list i)) (genList (i: i) (length list)));

    flatten = x: if isList x then builtins.concatMap self.flatten x else [ x ];
    remove = x: filter (y: y != x);
    count = wanted: foldl' (n: x: if wanted x then n + 1 else n) 0;

    findFirstIndex = wanted: default: list:
      # A loop in constant stack over one number: how many are not wanted so far, or, below zero, where it was.
      let found = foldl' (state: x: if state < 0 then state else if wanted x then -1 - state else state + 1) 0 list;
      in if found < 0 then -1 - found else default;
    findFirst = wanted: default: list:
      let index = self.findFirstIndex wanted null list;
      in if index == null then default else elemAt list index;
    findSingle = wanted: none: many: list:
      let found = filter wanted list;
      in if found == [ ] then none else if length found == 1 then head found else many;

    optional = condition: x: if condition then [ x ] else [ ];
    optionals = condition: list: if condition then list else [ ];
    toList = x: if isList x then x else [ x ];
    range = first: last: if first > last then [ ] else genList (n: first + n) (last - first + 1);
    replicate = n: x: genList (_: x) n;

    groupBy' = f: start: key: list:
      builtins.mapAttrs (_: foldl' f start) (builtins.groupBy key list);

    zipListsWith = f: left: right:
      genList (i: f (elemAt left i) (elemAt right i)) (lib.trivial.min (length left) (length right));
    zipLists = self.zipListsWith (fst: snd: { inherit fst snd; });
    reverseList = list:
      let count = length list;
      in genList (i: elemAt list (count - i - 1)) count;

    # Depth first from the head: `before a b` says that a comes before b.
    listDfs = stopOnCycles: before: list:
      let
        walk = us: visited: rest:
          let
            cycles = filter (x: before x us) visited;
            split = builtins.partition (x: before x us) rest;
          in
          if stopOnCycles && cycles != [ ] then
            { cycle = us; loops = cycles; inherit visited rest; }
          else if split.right == [ ] then
            { minimal = us; inherit visited rest; }
          else
            walk (head split.right) ([ us ] ++ visited) (tail split.right ++ split.wrong);
      in
      walk (head list) [ ] (tail list);
    toposort = before: list:
      let
        first = self.listDfs true before list;
        rest = self.toposort before (first.visited ++ first.rest);
      in
      if length list < 2 then
        { result = list; }
      else if first ? cycle then
        { cycle = self.reverseList ([ first.cycle ] ++ first.visited); inherit (first) loops; }
      else if rest ? cycle then
        rest
      else
        { result = [ first.minimal ] ++ rest.result; };

    sortOn = key: list:
      # The key of an element is computed once.
      map (x: elemAt x 1) (sort (a: b: head a < head b) (map (x: [ (key x) x ]) list));
    compareLists = cmp: left: right:
      if left == [ ] then (if right == [ ] then 0 else -1)
      else if right == [ ] then 1
      else
        let first = cmp (head left) (head right);
        in if first == 0 then self.compareLists cmp (tail left) (tail right) else first;
    naturalSort = list:
      let
        # "v10" -> [ "v" 10 ], so that numbers compare as numbers.
        pieces = text:
          map (x: if isList x then lib.strings.toIntBase10 (head x) else x) (builtins.split "([0-9]+)" text);
        less = a: b: self.compareLists lib.trivial.compare (head a) (head b) < 0;
      in
      map (x: elemAt x 1) (sort less (map (x: [ (pieces x) x ]) list));

    sublist = start: count: list:
      let available = length list;
      in
      genList (i: elemAt list (start + i))
        (if start >= available then 0 else if start + count > available then available - start else count);
    take = n: self.sublist 0 n;
    takeEnd = n: list: self.drop (lib.trivial.max 0 (length list - n)) list;
    drop = n: list: self.sublist n (length list) list;
    dropEnd = n: list: self.take (lib.trivial.max 0 (length list - n)) list;
    hasPrefix = prefix: list: self.take (length prefix) list == prefix;
    removePrefix = prefix: list:
      if self.hasPrefix prefix list then self.drop (length prefix) list
      else throw "lib.lists.removePrefix: First argument is not a list prefix of the second argument";
    replaceElemAt = list: index: new:
      if index < 0 || index >= length list then
        throw "'lists.replaceElemAt' called with index ${toString index} on a list of size ${toString (length list)}"
      else
        genList (i: if i == index then new else elemAt list i) (length list);
    commonPrefix = left: right:
      let
        same = self.zipListsWith (a: b: a == b) left right;
        count = self.findFirstIndex (x: !x) (length same) same;
      in
      self.take count left;
    last = list:
      assert lib.asserts.assertMsg (list != [ ]) "lists.last: list must not be empty!";
      elemAt list (length list - 1);
    init = list:
      assert lib.asserts.assertMsg (list != [ ]) "lists.init: list must not be empty!";
      self.take (length list - 1) list;

    crossLists = f: lists: foldl' (fs: args: builtins.concatMap (g: map g args) fs) [ f ] lists;
    unique = foldl' (seen: x: if elem x seen then seen else seen ++ [ x ]) [ ];
    uniqueStrings = list: builtins.attrNames (builtins.groupBy (x: x) list);
    allUnique = list: length (self.unique list) == length list;
    intersectLists = keep: filter (x: elem x keep);
    subtractLists = without: filter (x: !(elem x without));
    mutuallyExclusive = a: b: a == [ ] || !(builtins.any (x: elem x a) b);
    concatAttrValues = set: concatLists (builtins.attrValues set);
  };
in
self
