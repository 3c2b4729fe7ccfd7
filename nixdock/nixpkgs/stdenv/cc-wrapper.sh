#! @shell@
# The compiler with the flags of NIX_CFLAGS_COMPILE, and those of NIX_LDFLAGS where it links.
after=() links=1
if [ $# = 0 ]; then links=; fi
for word in "$@"; do
  case $word in
    -c | -S | -E | -M | -MM | -fsyntax-only | --version | -dump* | -print-* | -v) links= ;;
  esac
done
read -ra after -d '' <<<"${NIX_CFLAGS_COMPILE-}"
if [ -n "$links" ]; then
  libraries=@libraries@
  if [ -n "$libraries" ]; then after+=("-Wl,-rpath,$libraries"); fi
  read -ra flags -d '' <<<"${NIX_CFLAGS_LINK-}"
  after+=("${flags[@]}")
  read -ra flags -d '' <<<"${NIX_LDFLAGS-}"
  for flag in "${flags[@]}"; do
    case $flag in
      -L/*) after+=("$flag" "-Wl,-rpath,${flag#-L}") ;;
      -L* | -l*) after+=("$flag") ;;
      *) after+=(-Xlinker "$flag") ;;
    esac
  done
fi
exec @program@ "$@" "${after[@]}"
