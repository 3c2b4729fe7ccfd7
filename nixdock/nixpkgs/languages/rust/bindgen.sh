# What bindgen reads C's headers with, and where those of the compiler and of the inputs are.
export LIBCLANG_PATH=@libclang@/lib
_bindgenArguments() {
  local folders
  folders=$(gcc -E -v -x c /dev/null 2>&1 | sed -n '/search starts here/,/^End of search/ s|^ /|-isystem /|p')
  export BINDGEN_EXTRA_CLANG_ARGS="${folders//$'\n'/ } ${NIX_CFLAGS_COMPILE-} ${BINDGEN_EXTRA_CLANG_ARGS-}"
}
preConfigureHooks+=(_bindgenArguments)
