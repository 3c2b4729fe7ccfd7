# automake: aclocal finds the macros that inputs bring.
_addAclocal() { addToSearchPath ACLOCAL_PATH "$1/share/aclocal"; }
addEnvHooks "$targetOffset" _addAclocal
