# Runs another builder, which must fail: tools, builder, its arguments. What it left and said is the output.
export PATH=$1
shift
# With structured attributes the outputs are named in a file.
if [ -z "${out-}" ] && [ -f "$NIX_BUILD_TOP/.attrs.sh" ]; then
  source "$NIX_BUILD_TOP/.attrs.sh"
  declare -A places
  for name in "${!outputs[@]}"; do places[$name]=${outputs[$name]}; done
else
  declare -A places
  for name in ${outputs:-out}; do places[$name]=${!name}; done
fi

"$@" 2>&1 | tee "$NIX_BUILD_TOP/testBuildFailure.log"
status=${PIPESTATUS[0]}
if [ "$status" = 0 ]; then
  echo "testBuildFailure: The builder did not fail, but a failure was expected!" >&2
  exit 1
fi
echo "testBuildFailure: Original builder failed with exit code $status, as was expected." >&2

# Every output must be there; the first, which holds the log, must be a directory.
first=${places[out]-}
for name in "${!places[@]}"; do
  place=${places[$name]}
  [ -n "$first" ] || first=$place
  if [ ! -e "$place" ]; then mkdir "$place"; fi
done
if [ ! -d "$first" ]; then
  mv "$first" "$NIX_BUILD_TOP/result"
  mkdir "$first"
  mv "$NIX_BUILD_TOP/result" "$first/result"
fi
mv "$NIX_BUILD_TOP/testBuildFailure.log" "$first/"
echo "$status" >"$first/testBuildFailure.exit"
