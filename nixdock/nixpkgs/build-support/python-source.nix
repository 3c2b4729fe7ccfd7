# The Python modules of a folder as a store path that changes with them alone.
{ lib }: folder:
builtins.path {
  name = "builders";
  path = folder;
  filter = path: type: type == "regular" && lib.hasSuffix ".py" path;
}
