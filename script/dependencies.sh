# Sourced by the scripts of this folder: installs what is missing, or prints the line that does.

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
[ -t 2 ] || say() { printf '%s\n' "$*" >&2; }

# need_swift: stops with the way to get Swift where there is none, or one that is too old.
need_swift() {
  if ! command -v swift >/dev/null 2>&1; then
    say "Swift 6.3 or later is missing. Install it with swiftly (https://www.swift.org/install/linux/):"
    say "  curl -O https://download.swift.org/swiftly/linux/swiftly-\$(uname -m).tar.gz && tar zxf swiftly-\$(uname -m).tar.gz && ./swiftly init && swiftly install 6.3"
    exit 69
  fi
}

# need_packages NAME…: Debian packages, installed where root or sudo allow it.
need_packages() {
  local missing=()
  if ! command -v dpkg-query >/dev/null 2>&1; then
    say "This is no Debian or Ubuntu: install the counterparts of: $*"
    return
  fi
  for name in "$@"; do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' ||
      missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return
  local prefix=()
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
      prefix=(sudo)
    else
      say "These packages are missing. Run this line, then start again:"
      say "  sudo apt-get update && sudo apt-get install -y ${missing[*]}"
      exit 69
    fi
  fi
  say "installing ${missing[*]}"
  with_package_lock "${prefix[@]}" apt-get update -qq
  with_package_lock "${prefix[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}"
}

# How many seconds to wait for another run of the package manager: unattended upgrades hold its locks for minutes.
package_lock_patience=900

# with_package_lock COMMAND…: runs a command of apt, and again while another process holds a lock of the package manager.
# apt waits by itself for one of its locks only (DPkg::Lock::Timeout): not for that of the lists of packages.
with_package_lock() {
  local began=$SECONDS output
  while ! output=$("$@" 2>&1 >/dev/null); do
    case "$output" in
      *"Could not get lock"* | *"Unable to lock"* | *"Unable to acquire the dpkg frontend lock"*) ;;
      *)
        printf '%s\n' "$output" >&2
        return 1
        ;;
    esac
    if [ $((SECONDS - began)) -ge "$package_lock_patience" ]; then
      printf '%s\n' "$output" >&2
      say "Another process has held the lock of the package manager for $package_lock_patience seconds: start again when it is done."
      return 1
    fi
    say "Another process holds the lock of the package manager: waiting for it, $package_lock_patience seconds at most"
    sleep 5
  done
}

# What building takes.
need_build_packages() { need_packages zlib1g-dev libisal-dev libdeflate-dev libyaml-dev pkg-config; }

# python_with REQUIREMENTS [FOLDER]: prints the path of a Python that has them, in a folder of the build.
python_with() {
  local folder=.build/${2:-python}
  local stamp="$folder/requirements.txt"
  if ! cmp -s "$1" "$stamp"; then
    say "preparing a Python environment with $(grep -c . "$1") packages"
    python3 -m venv --clear "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check -r "$1" >&2
    cp "$1" "$stamp"
  fi
  printf '%s\n' "$PWD/$folder/bin/python"
}
