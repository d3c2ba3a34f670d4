slipway_elsewhere="choose another directory with --prefix"
slipway_prefix=${SLIPWAY_PREFIX-}
slipway_remove=false
while [ "$#" -gt 0 ]; do
  case $1 in
  --prefix)
    [ "$#" -ge 2 ] || slipway_fail "--prefix needs a directory"
    slipway_prefix=$2
    shift
    ;;
  --prefix=*) slipway_prefix=${1#--prefix=} ;;
  --uninstall) slipway_remove=true ;;
  -h | --help)
    cat <<END_OF_HELP
Installs the slipway command that matches $slipway_server, without Node.js.

  curl -fsSL $slipway_server/install.sh | sh
  curl -fsSL $slipway_server/install.sh | sh -s -- --prefix /usr/local
  curl -fsSL $slipway_server/install.sh | sh -s -- --uninstall

  --prefix DIR   directory with bin and lib (default: ~/.local; also SLIPWAY_PREFIX)
  --uninstall    remove what this script has installed
END_OF_HELP
    exit 0
    ;;
  *) slipway_fail "unknown option $1" "see --help" ;;
  esac
  shift
done
if [ -z "$slipway_prefix" ]; then
  [ -n "${HOME-}" ] || slipway_fail "HOME is not set" "$slipway_elsewhere"
  slipway_prefix=$HOME/.local
fi
case $slipway_prefix in
/*) ;;
*) slipway_prefix=$PWD/$slipway_prefix ;;
esac
slipway_lib=$slipway_prefix/lib/slipway
slipway_link=$slipway_prefix/bin/slipway

# Tells of the hosts of slipway config-ssh in a configuration of ssh, which cannot be reached any more.
slipway_name_ssh_section() {
  [ -f "$1" ] && [ -r "$1" ] || return 0
  while IFS= read -r slipway_line; do
    [ "$slipway_line" = '# >>> slipway config-ssh >>>' ] || continue
    slipway_say "$1 still has the section of slipway config-ssh; remove it with:"
    slipway_say "sed -i '/^# >>> slipway config-ssh >>>/,/^# <<< slipway config-ssh <<</d' '$1'"
    return 0
  done <"$1"
}

# Another program of that name is not touched.
slipway_old=$(readlink "$slipway_link" 2>/dev/null) || slipway_old=
case $slipway_old in
../lib/slipway/*/bin/slipway) ;;
*)
  if [ -e "$slipway_link" ] || [ -L "$slipway_link" ]; then
    slipway_fail "$slipway_link is there already, and is not from this script" \
      "remove it first, or choose another directory with --prefix"
  fi
  ;;
esac

if [ "$slipway_remove" = true ]; then
  if [ ! -e "$slipway_lib" ] && [ -z "$slipway_old" ]; then
    slipway_say "nothing to remove in $slipway_prefix"
    exit 0
  fi
  rm -rf "$slipway_link" "$slipway_lib" ||
    slipway_fail "cannot remove $slipway_link and $slipway_lib" "check who owns them"
  slipway_say "removed $slipway_link and $slipway_lib; your login in ~/.config/slipway is kept"
  slipway_name_ssh_section "${HOME-}/.ssh/config"
  exit 0
fi

mkdir -p "$slipway_lib" "$slipway_prefix/bin" ||
  slipway_fail "cannot write to $slipway_prefix" "$slipway_elsewhere"
slipway_get "$slipway_lib"
slipway_target=../lib/slipway/${slipway_root##*/}/bin/slipway
slipway_version=$("$slipway_root/bin/slipway" --version)
if [ "$slipway_old" = "$slipway_target" ]; then
  slipway_say "$slipway_link is up to date: $slipway_version"
else
  ln -s "$slipway_target" "$slipway_work/link" && mv -f "$slipway_work/link" "$slipway_link" ||
    slipway_fail "cannot make $slipway_link" "$slipway_elsewhere"
  slipway_say "installed $slipway_link: $slipway_version"
fi
slipway_remove_old "$slipway_lib"
case :$PATH: in
*:"$slipway_prefix/bin":*) ;;
*) slipway_say "add it to your PATH: export PATH=\"$slipway_prefix/bin:\$PATH\"" ;;
esac
slipway_say "log in:    slipway login $slipway_server"
slipway_read='curl -fsSL'
slipway_has curl || slipway_read='wget -qO-'
slipway_options=--uninstall
[ "$slipway_prefix" = "${HOME-}/.local" ] || slipway_options="--uninstall --prefix '$slipway_prefix'"
slipway_say "remove it: $slipway_read $slipway_server/install.sh | sh -s -- $slipway_options"
