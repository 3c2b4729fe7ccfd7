# What quickstart and test share: sourced, not run. It installs what is missing and says what it does.
# shellcheck shell=bash

# Measured and tested as it is once installed: with its bytecode at hand, not compiled at every start.
unset PYTHONDONTWRITEBYTECODE

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }

fail() {
  printf 'error: %s\n' "$1" >&2
  [ $# -lt 2 ] || printf 'hint: %s\n' "$2" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Give apt its lists where it has none: a fresh container image comes without.
ensure_lists() {
  [ -z "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -print -quit 2>/dev/null)" ] || return 0
  say "asking apt for its lists"
  as_root apt-get update -qq
}

# Install the Debian packages among the arguments that are not installed.
install_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || fail "not root, and sudo is not installed" "run this as root"
  say "installing from Debian: ${missing[*]}"
  # Old lists name versions that the mirror no longer has: ask for new ones before giving up.
  apt_install "${missing[@]}" || { as_root apt-get update -qq && apt_install "${missing[@]}"; }
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# The Debian packages that nixdock's own work needs; Debian 13 packages the docker program apart.
base_packages() {
  ensure_lists
  printf '%s\n' docker.io nix-bin python3-venv ca-certificates iptables
  if apt-cache show docker-cli >/dev/null 2>&1; then echo docker-cli; fi
}

# The compilers that make the agent's very bytes: Debian 12's.
agent_compilers() {
  (. /etc/os-release && [ "${VERSION_CODENAME:-}" = bookworm ]) || return 0
  case $(dpkg --print-architecture) in
    amd64) printf '%s\n' gcc gcc-aarch64-linux-gnu ;;
    arm64) printf '%s\n' gcc gcc-x86-64-linux-gnu ;;
  esac
}

# Whether each of some lines stands in a file.
holds_all() {
  local status=0
  grep -qvxFf "$1" <<<"$2" 2>/dev/null || status=$?
  # 0 is a line that does not, 2 a file that cannot be read.
  [ $status = 1 ]
}

# Make .venv hold nixdock, editable, and what else is named, in the versions of constraints.txt; again only
# when that or pyproject.toml changed, or something named is not in it yet.
make_venv() {
  local stamp=.venv/made-from constraints=scripts/constraints.txt wanted
  wanted="$(printf '%s\n' "$(cat pyproject.toml "$constraints" | sha256sum)" "$@")"
  # What more it holds does no harm: installing nixdock again would take it from those who run it now.
  if [ -x .venv/bin/nixdock ] && holds_all "$stamp" "$wanted"; then return; fi
  say "making a virtual environment in .venv"
  [ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null || {
    rm -rf .venv
    "$(find_python)" -m venv .venv
  }
  .venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --constraint "$constraints" --editable . "$@"
  printf '%s\n' "$wanted" >$stamp
}

# The one that $PYTHON names, or else Debian's own first: other ones come and go.
find_python() {
  local python
  for python in ${PYTHON:+"$PYTHON"} /usr/bin/python3 python3; do
    if "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$python"
      return
    fi
  done
  fail "no Python 3.11 or newer" "apt-get install python3 python3-venv"
}

# What pyproject.toml asks for development, one requirement a line (pip learned of groups only later).
dev_requirements() {
  "$(find_python)" -c 'import tomllib; print("\n".join(tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"]))'
}
