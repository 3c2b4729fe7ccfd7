# Evaluates one file of tests; [ ] is success.
{ file, libPath }:
let lib = import libPath;
in lib.runTests (import file lib)
