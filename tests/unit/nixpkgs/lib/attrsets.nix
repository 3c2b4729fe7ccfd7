lib: with lib.attrsets; {
  testAttrByPath = { expr = [ (attrByPath [ "a" "b" ] 6 { a.b = 3; }) (attrByPath [ "z" ] 6 { }) ]; expected = [ 3 6 ]; };
  testHasAttrByPath = { expr = [ (hasAttrByPath [ "a" "b" ] { a.b = 3; }) (hasAttrByPath [ "a" "c" ] { a.b = 3; }) (hasAttrByPath [ "a" "c" ] { a = 1; }) ]; expected = [ true false false ]; };
  testLongestValidPathPrefix = { expr = longestValidPathPrefix [ "a" "b" "c" ] { a.b = 3; }; expected = [ "a" "b" ]; };
  testSetAttrByPath = { expr = setAttrByPath [ "a" "b" ] 3; expected = { a.b = 3; }; };
  testUpdateMany = { expr = updateManyAttrsByPath [ { path = [ "a" "b" ]; update = old: { d = old.c; }; } { path = [ "a" "b" "c" ]; update = old: old + 1; } { path = [ "x" "y" ]; update = _: "xy"; } ] { a.b.c = 0; }; expected = { a.b.d = 1; x.y = "xy"; }; };
  testAttrVals = { expr = attrVals [ "a" "b" ] { a = 1; b = 2; c = 3; }; expected = [ 1 2 ]; };
  testFilter = { expr = [ (filterAttrs (n: v: n == "foo") { foo = 1; bar = 2; }) (filterAttrsRecursive (n: v: v != null) { foo = { bar = null; x = 1; }; }) ]; expected = [ { foo = 1; } { foo.x = 1; } ]; };
  testFold = { expr = [ (foldlAttrs (acc: n: v: acc + "${n}${toString v}") "" { b = 2; a = 1; }) (foldAttrs (item: acc: [ item ] ++ acc) [ ] [ { a = 2; } { a = 3; } { b = 1; } ]) ]; expected = [ "a1b2" { a = [ 2 3 ]; b = [ 1 ]; } ]; };
  testCollect = { expr = [ (collect builtins.isList { a = { b = [ "b" ]; }; c = [ 1 ]; }) (collect (x: x ? outPath) { a = { outPath = "a/"; }; b = { outPath = "b/"; }; }) ]; expected = [ [ [ "b" ] [ 1 ] ] [ { outPath = "a/"; } { outPath = "b/"; } ] ]; };
  testCartesianProduct = { expr = cartesianProduct { a = [ 1 2 ]; b = [ 10 20 ]; }; expected = [ { a = 1; b = 10; } { a = 1; b = 20; } { a = 2; b = 10; } { a = 2; b = 20; } ]; };
  testMapAttrs' = { expr = mapAttrs' (n: v: nameValuePair ("foo_" + n) ("bar-" + v)) { x = "a"; }; expected = { foo_x = "bar-a"; }; };
  testMapAttrsToList = { expr = [ (mapAttrsToList (n: v: n + v) { x = "a"; y = "b"; }) (attrsToList { foo = 1; }) ]; expected = [ [ "xa" "yb" ] [ { name = "foo"; value = 1; } ] ]; };
  testMapRecursive = { expr = [ (mapAttrsRecursive (path: v: lib.concatStringsSep "-" (path ++ [ v ])) { n.a = "A"; d = "D"; }) (mapAttrsRecursiveCond (as: !(as ? "type")) (_: x: x.name or x) { a = { type = "derivation"; name = "n"; }; b.c = 1; }) ]; expected = [ { n.a = "n-a-A"; d = "d-D"; } { a = "n"; b.c = 1; } ]; };
  testMapToListRecursive = { expr = mapAttrsToListRecursive (path: v: "${lib.concatStringsSep "." path}=${v}") { n.a = "A"; d = "D"; }; expected = [ "d=D" "n.a=A" ]; };
  testGenAttrs = { expr = genAttrs [ "foo" "bar" ] (name: "x_" + name); expected = { foo = "x_foo"; bar = "x_bar"; }; };
  testConcatMapAttrs = { expr = concatMapAttrs (n: v: { ${n} = v; ${n + v} = 1; }) { x = "a"; y = "b"; }; expected = { x = "a"; xa = 1; y = "b"; yb = 1; }; };
  testMergeAttrsList = { expr = [ (mergeAttrsList [ { a = 0; b = 1; } { c = 2; } { a = 3; } ]) (mergeAttrsList [ ]) ]; expected = [ { a = 3; b = 1; c = 2; } { } ]; };
  testZip = { expr = [ (zipAttrsWith (n: vs: vs) [ { a = "x"; } { a = "y"; b = "z"; } ]) (zipAttrsWithNames [ "a" ] (n: vs: vs) [ { a = "x"; } { a = "y"; b = "z"; } ]) ]; expected = [ { a = [ "x" "y" ]; b = [ "z" ]; } { a = [ "x" "y" ]; } ]; };
  testRecursiveUpdate = { expr = recursiveUpdate { a.b = 1; a.c = 2; d = 1; } { a.b = 3; d.e = 4; }; expected = { a = { b = 3; c = 2; }; d.e = 4; }; };
  testRecursiveUpdateUntil = { expr = recursiveUpdateUntil (path: l: r: path == [ "foo" ]) { foo.bar = 1; foo.baz = 2; bar = 3; } { foo.bar = 1; foo.quz = 2; baz = 4; }; expected = { foo.bar = 1; foo.quz = 2; bar = 3; baz = 4; }; };
  testMatchAttrs = { expr = [ (matchAttrs { cpu = { }; } { cpu = { bits = 64; }; }) (matchAttrs { a = 1; } { a = 2; }) ]; expected = [ true false ]; };
  testOverrideExisting = { expr = overrideExisting { a = 1; } { a = 2; b = 3; }; expected = { a = 2; }; };
  testShowAttrPath = { expr = [ (showAttrPath [ "foo" "10" "bar" ]) (showAttrPath [ ]) ]; expected = [ "foo.\"10\".bar" "<root attribute path>" ]; };
  testOutputs = { expr = [ (getOutput "dev" { dev = "D"; out = "O"; }) (getBin { out = "O"; }) (getLib { outputSpecified = true; x = 1; }).x (isDerivation { type = "derivation"; }) (isDerivation 1) ]; expected = [ "D" "O" 1 true false ]; };
  testUnionOfDisjoint = { expr = [ (unionOfDisjoint { a = 1; } { b = 2; }) (builtins.tryEval (unionOfDisjoint { a = 1; } { a = 2; }).a).success ]; expected = [ { a = 1; b = 2; } false ]; };
}
