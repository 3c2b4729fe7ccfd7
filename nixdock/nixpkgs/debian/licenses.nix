# The licence of a package, by its facts: what Debian records of most of its files in a form that programs read
# (`licenses.json`, by its Debian name; made by `scripts/record_licenses.py`). One that is not plain
# there has no identifier.
{ lib }:

let
  recorded = builtins.fromJSON (builtins.readFile ./licenses.json);

  unknown = facts: {
    shortName = if facts.isFree then "free" else "unfree";
    fullName = "${if facts.isFree then "Free" else "Not free"}, as Debian judges; see the package's copyright file";
    spdxId = null;
    url = null;
    free = facts.isFree;
    redistributable = true;
    deprecated = false;
  };
in
facts:
let id = recorded.${facts.debianName} or null; in
if id == null then unknown facts
else lib.getLicenseFromSpdxIdOr id (unknown facts // { shortName = lib.toLower id; fullName = id; spdxId = id; })
