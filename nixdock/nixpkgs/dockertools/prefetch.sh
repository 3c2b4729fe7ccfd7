# nix-prefetch-docker: finds an image's digest, fetches the image as pullImage does, and tells its hash.
# What sources this gives the machine's `architecture`, and has skopeo and coreutils on PATH.
set -euo pipefail

usage() {
  cat <<END
Usage: nix-prefetch-docker [options] [IMAGE [TAG|DIGEST]]

  --image-name NAME         instead of the first word
  --image-tag TAG           instead of the second word (latest)
  --image-digest DIGEST     sha256:…, instead of asking for the tag's
  --final-image-name NAME   what the image is called when it is loaded
  --final-image-tag TAG
  --os OS                   linux
  --arch ARCH               $architecture
  --json                    tell it as JSON
  --quiet                   say nothing else
  --no-tls-verify           a registry that speaks plain HTTP, or has a certificate of its own
END
}

fail() {
  echo "nix-prefetch-docker: $1" >&2
  exit 1
}

name= tag= digest= finalName= finalTag= os=linux form=nix quiet= tlsVerify=true
words=()
while [ $# -gt 0 ]; do
  option=$1
  shift
  case $option in
    --help) usage; exit ;;
    --json) form=json ;;
    --quiet) quiet=1 ;;
    --no-tls-verify) tlsVerify=false ;;
    --image-name | --image-tag | --image-digest | --final-image-name | --final-image-tag | --os | --arch)
      [ $# -gt 0 ] || fail "$option needs a value"
      case $option in
        --image-name) name=$1 ;;
        --image-tag) tag=$1 ;;
        --image-digest) digest=$1 ;;
        --final-image-name) finalName=$1 ;;
        --final-image-tag) finalTag=$1 ;;
        --os) os=$1 ;;
        --arch) architecture=$1 ;;
      esac
      shift
      ;;
    -*) fail "there is no option $option; --help tells those there are" ;;
    *) words+=("$option") ;;
  esac
done
: "${name:=${words[0]:-}}"
case ${words[1]:-} in
  sha256:*) : "${digest:=${words[1]}}" ;;
  *) : "${tag:=${words[1]:-}}" ;;
esac
if [ -z "$name" ]; then
  usage >&2
  exit 1
fi
: "${tag:=latest}" "${finalName:=$name}" "${finalTag:=$tag}"

quiet() { if [ -n "$quiet" ]; then "$@" > /dev/null 2>&1; else "$@" >&2; fi; }
registry() { skopeo --insecure-policy --override-os "$os" --override-arch "$architecture" "$@"; }

if [ -z "$digest" ]; then
  digest=$(registry inspect --tls-verify="$tlsVerify" --format '{{.Digest}}' "docker://$name:$tag") \
    || fail "the digest of $name:$tag cannot be had"
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
file=$finalName-$finalTag.tar
file=$folder/docker-image-${file//[\/:]/-}
quiet registry copy --src-tls-verify="$tlsVerify" "docker://$name@$digest" "docker-archive:$file:$finalName:$finalTag" \
  || fail "$name@$digest cannot be fetched"
sum=$(sha256sum "$file")
hash=sha256-$(printf %s "${sum%% *}" | tr a-f A-F | basenc --base16 -d | base64)
# It is there then, when pullImage wants it.
if command -v nix-store > /dev/null; then
  path=$(nix-store --add-fixed sha256 "$file")
  [ -n "$quiet" ] || echo "-> $path" >&2
fi

names=(imageName imageDigest hash finalImageName finalImageTag)
values=("$name" "$digest" "$hash" "$finalName" "$finalTag")
last=$((${#names[@]} - 1))
if [ $form = json ]; then
  echo "{"
  for number in "${!names[@]}"; do
    comma=,
    if [ "$number" = $last ] && [ $tlsVerify = true ]; then comma=; fi
    printf '  "%s": "%s"%s\n' "${names[$number]}" "${values[$number]}" "$comma"
  done
  if [ $tlsVerify = false ]; then echo '  "tlsVerify": false'; fi
  echo "}"
else
  echo "{"
  for number in "${!names[@]}"; do
    printf '  %s = "%s";\n' "${names[$number]}" "${values[$number]}"
  done
  if [ $tlsVerify = false ]; then echo '  tlsVerify = false;'; fi
  echo "}"
fi
