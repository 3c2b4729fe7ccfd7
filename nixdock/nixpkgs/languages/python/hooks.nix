# Setup hooks for Python: how a project is built and installed, its programs find its modules, and it is checked.
{ lib, pkgs, debian, python, builder, packages }:

let
  hook = name: script: args: pkgs.makeSetupHook ({ inherit name; } // args) script;
  withModules = modules: drv: drv // { pythonModules = modules; };
  wrap = lib.escapeShellArgs ([ "env" "PATH=${builder.bootstrap}/bin" "${builder.python}/bin/python3" ]
    ++ builder.command ../../debian/builders "python_wrap");
  nothing = name: withModules [ ] (hook name (pkgs.writeText name "") { });
in
rec {
  pythonHooks = {
    # The headers that extensions written in C want; the compiler looks for them beside Python.
    headers = hook "python-headers-hook" ./headers.sh {
      substitutions = {
        headers = "${debian.package "lib${python.libPrefix}-dev"}";
        python = python.libPrefix;
      };
    };
    build = hook "python-build-hook" ./build.sh {
      propagatedBuildInputs = [ wrapPython ];
      substitutions = {
        wheel = "${../builders/python_wheel.py}";
        python = "${python}";
        sitePackages = python.sitePackages;
      };
    };
  };

  wrapPython = hook "wrap-python-hook" ./wrap.sh {
    propagatedBuildInputs = [ pkgs.makeWrapper ];
    substitutions = { inherit wrap; python = "${python}"; };
  };

  pytestCheckHook = withModules [ packages.pytest ] (hook "pytest-check-hook" ./pytest.sh { });
  unittestCheckHook = hook "unittest-check-hook" ./unittest.sh { };
  pythonImportsCheckHook = hook "python-imports-check-hook" ./imports.sh {
    substitutions.sitePackages = python.sitePackages;
  };

  # What `build` does anyway.
  pypaBuildHook = nothing "pypa-build-hook";
  pypaInstallHook = nothing "pypa-install-hook";
  setuptoolsBuildHook = nothing "setuptools-build-hook";
  setuptoolsCheckHook = nothing "setuptools-check-hook";
  pipInstallHook = nothing "pip-install-hook";
  wheelUnpackHook = nothing "wheel-unpack-hook";
  pythonRelaxDepsHook = nothing "python-relax-deps-hook";
  pythonRemoveTestsDirHook = nothing "python-remove-tests-dir-hook";
  pythonRuntimeDepsCheckHook = nothing "python-runtime-deps-check-hook";
  pythonCatchConflictsHook = nothing "python-catch-conflicts-hook";
  pythonNamespacesHook = nothing "python-namespaces-hook";
  flitBuildHook = nothing "flit-build-hook";
}
