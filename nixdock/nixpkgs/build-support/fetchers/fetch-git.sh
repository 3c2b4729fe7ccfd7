# Fetches one commit of a repository: its files, and those of its submodules.
source "$sentence"

export HOME=$TMPDIR GIT_TERMINAL_PROMPT=0
if [ -n "$certificates" ]; then
  export GIT_SSL_CAINFO=$certificates
else
  export GIT_SSL_NO_VERIFY=1
fi
if [ -n "${gitConfigFile-}" ]; then export GIT_CONFIG_GLOBAL=$gitConfigFile; fi
if [ -n "${netrcPhase-}" ]; then
  runPhase netrcPhase
  mv netrc "$HOME/.netrc"
fi
git config --global --add safe.directory '*'
git config --global protocol.file.allow always
git config --global advice.detachedHead false

# Submodules and attributes need Git's own sight of the files.
git init --quiet --initial-branch="${branchName:-fetchgit}" "$out"
cd "$out"
git remote add origin "$url"
toArray patterns sparseCheckout
if ((${#patterns[@]})); then
  if [ -n "${nonConeMode-}" ]; then mode=--no-cone; else mode=--cone; fi
  git sparse-checkout set $mode "${patterns[@]}"
fi

# A server that knows only names of commits, or only whole histories, is asked for all.
said=
_fetch() {
  if [ -z "${deepClone-}" ] && said=$(git fetch --quiet --depth=1 origin "+$rev:refs/nix/fetched" 2>&1); then return 0; fi
  said=$(git fetch --quiet --tags origin '+refs/*:refs/nix/origin/*' 2>&1) || return 1
  local one
  for one in "$rev" "refs/nix/origin/${rev#refs/}" "refs/nix/origin/heads/$rev" "refs/nix/origin/tags/$rev" origin/HEAD; do
    if git rev-parse --quiet --verify "$one^{commit}" >/dev/null; then
      git update-ref refs/nix/fetched "$(git rev-parse "$one^{commit}")"
      return 0
    fi
  done
  said="it has no $rev"
  return 1
}
_fetch || cannotFetch "$rev of $url" "${said%%$'\n'*}"
commit=$(git rev-parse 'refs/nix/fetched^{commit}')
git checkout --quiet -B "${branchName:-fetchgit}" "$commit"
if [ -n "${fetchSubmodules-}" ]; then
  git submodule --quiet update --init --recursive -j "$NIX_BUILD_CORES" ||
    cannotFetch "the submodules of $url" "see above"
fi
if [ -n "${fetchLFS-}" ]; then
  git lfs install --local
  git lfs pull || cannotFetch "the large files of $url" "see above"
fi
runHook postCheckout

if [ -z "${leaveDotGit-}" ]; then
  find "$out" -name .git -print0 | xargs -0 rm -rf
else
  # What tells when and where it was fetched is not part of it.
  while IFS= read -r -d '' folder; do
    if [ -d "$folder" ]; then
      git --git-dir="$folder" for-each-ref --format='delete %(refname)' refs/nix refs/remotes |
        git --git-dir="$folder" update-ref --stdin
      rm -rf "$folder"/{hooks,logs,FETCH_HEAD,ORIG_HEAD,index,description,packed-refs.lock}
      git --git-dir="$folder" remote remove origin 2>/dev/null || true
      git --git-dir="$folder" -c pack.threads=1 repack -A -d -f -q
      rm -f "$folder/config"
    fi
  done < <(find "$out" -name .git -print0)
fi
if [ -n "${rootDir-}" ]; then
  mv "$out/$rootDir" "$TMPDIR/root"
  rm -rf "$out"
  mv "$TMPDIR/root" "$out"
fi
cd "$out"
runHook postFetch
