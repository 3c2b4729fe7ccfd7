# Fetches one file from the first of `urls` that has it, by curl.
source "$sentence"

flags=(
  --fail --location --max-redirs 20 --retry 3 --connect-timeout 15 --silent --show-error
  --disable-epsv --cookie-jar cookies --user-agent "curl Nixpkgs"
)
if [ -n "$certificates" ]; then
  export SSL_CERT_FILE=$certificates CURL_CA_BUNDLE=$certificates
else
  flags+=(--insecure)
fi
if [ -f "${netrcPhasePath-}" ] || [ -n "${netrcPhase-}" ]; then
  runPhase netrcPhase
  flags+=(--netrc-file "$PWD/netrc")
fi
toArray flags curlOpts NIX_CURL_FLAGS
eval "flags+=($curlOptsList)"

# mirror://SITE/PLACE is at each address of the site; NIX_MIRRORS_SITE are the user's own.
candidates=()
toArray given urls
for one in "${given[@]}"; do
  if [[ "$one" == mirror://* ]]; then
    one=${one#mirror://}
    site=${one%%/*}
    variable=NIX_MIRRORS_$site
    if [ -z "${!variable-}" ]; then variable=mirrors_$site; fi
    for base in ${!variable}; do candidates+=("$base${one#*/}"); done
  else
    candidates+=("$one")
  fi
done
if [ -n "${showURLs-}" ]; then
  printf '%s\n' "${candidates[@]}" >"$out"
  exit 0
fi

downloadedFile=$out
if [ -n "${downloadToTemp-}" ]; then downloadedFile=$TMPDIR/file; fi
said='no address'
for one in "${candidates[@]}"; do
  echo "trying $one"
  if said=$(curl "${flags[@]}" "$one" --output "$downloadedFile" 2>&1); then
    said=
    break
  fi
  said=${said##*$'\n'}
  echo "$said"
done
if [ -n "$said" ]; then
  cannotFetch "${candidates[*]}" "$said"
fi
if [ -n "${executable-}" ]; then
  chmod +x "$downloadedFile"
fi
runHook postFetch
