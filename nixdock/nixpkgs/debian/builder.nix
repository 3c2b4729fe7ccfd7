# How everything here is built: by a Python script that gets its orders as a JSON file.
#
#   system     where it is built
#   bootstrap  the folder of the two static programs that the first builder is made with
#   lock       the lock of that system's architecture
{ system, bootstrap, lock }:

let
  deb = import ./deb.nix;

  # Debian's Python, only ever used to build: in no image, and no unit refers to it.
  python = derivation {
    name = "builder-python";
    inherit system;
    allowSubstitutes = false;
    builder = "${bootstrap}/bin/busybox";
    args = [ "sh" ./builders/python.sh ];
    debs = map (name: deb name lock.about.bootstrap.records.${name}) lock.about.bootstrap.python;
    # The shell of busybox has every other tool in itself.
    patchelf = "${bootstrap}/bin/patchelf";
  };

  # Makes the folder a package of the given name, so that its modules find each other by relative imports.
  launcher = builtins.concatStringsSep "\n" [
    "import runpy, sys, types"
    "folder, name, module = sys.argv[1:4]"
    "package = types.ModuleType(name)"
    "package.__path__ = [folder]"
    "sys.modules[name] = package"
    "del sys.argv[1:4]"
    "runpy.run_module(name + '.' + module, run_name='__main__')"
  ];
in
rec {
  inherit system python bootstrap;

  # The arguments with which `python` runs a module of a package; the module's own may follow. Neither the
  # environment nor site-packages have a say, and no bytecode is written beside a source.
  command = package: module:
    [ "-E" "-s" "-S" "-B" "-c" launcher "${package}" (baseNameOf package) module ];

  # A derivation that runs the module `module` of the folder `package` (a path, whose modules import each
  # other relatively, and nothing but the standard library). The module finds the JSON text of `order` in
  # the file that the variable `orderPath` names, and the other attributes in its environment.
  # `programs` are packages whose programs it may run.
  run = { package, module, order, programs ? [ ], ... }@args:
    derivation ({
      inherit system;
      allowSubstitutes = false;
      builder = "${python}/bin/python3";
      args = command package module;
      # Nix tells a builder its name without the folder: Python finds its library by way of PATH.
      PATH = builtins.concatStringsSep ":" (map (one: "${one}/bin") ([ python bootstrap ] ++ programs));
      order = builtins.toJSON order;
      passAsFile = [ "order" ];
    } // removeAttrs args [ "package" "module" "order" "programs" ]);
}
