# What the scripts of this server share: finding out about the machine, downloading with retries, checking the sum, and
# unpacking. Every name that is not a function's own begins with "slipway_".

slipway_say() {
  printf 'slipway: %s\n' "$1" >&2
}

# Ends the script with a reason, and what to do about it.
slipway_fail() {
  slipway_say "$1"
  shift
  for slipway_hint in "$@"; do
    printf '  %s\n' "$slipway_hint" >&2
  done
  exit 1
}

slipway_has() {
  command -v "$1" >/dev/null 2>&1
}

# Sets slipway_arch. Refuses a machine that the download does not run on.
slipway_find_machine() {
  slipway_system=$(uname -s)
  [ "$slipway_system" = Linux ] ||
    slipway_fail "this is $slipway_system, but the download runs on Linux only"
  slipway_machine=$(uname -m)
  case $slipway_machine in
  x86_64 | amd64) slipway_arch=amd64 ;;
  aarch64 | arm64) slipway_arch=arm64 ;;
  *) slipway_fail "this machine is $slipway_machine, but there are downloads for x86_64 and aarch64 only" ;;
  esac
  slipway_kernel=$(uname -r)
  slipway_major=${slipway_kernel%%.*}
  slipway_minor=${slipway_kernel#*.}
  slipway_minor=${slipway_minor%%[!0-9]*}
  if [ "${slipway_major:-0}" -lt 4 ] || { [ "$slipway_major" -eq 4 ] && [ "${slipway_minor:-0}" -lt 18 ]; }; then
    slipway_say "warning: Linux $slipway_kernel is older than 4.18, and may be too old"
  fi 2>/dev/null
}

# Refuses a machine that lacks a program. Sets slipway_ending and slipway_unpack.
slipway_find_programs() {
  slipway_has curl || slipway_has wget ||
    slipway_fail "this machine has neither curl nor wget" "install one of them, and try again"
  slipway_has tar || slipway_fail "this machine has no tar" "install it, and try again"
  if slipway_has zstd; then
    slipway_ending=tar.zst
    slipway_unpack='zstd -dcq'
  elif slipway_has gzip; then
    slipway_choose_gzip
  else
    slipway_fail "this machine has neither gzip nor zstd" "install one of them, and try again"
  fi
  slipway_has sha256sum || slipway_has shasum || slipway_has openssl ||
    slipway_fail "this machine has none of sha256sum, shasum and openssl" "install one of them, and try again"
}

slipway_choose_gzip() {
  slipway_ending=tar.gz
  slipway_unpack='gzip -dc'
}

# Prints the SHA-256 of a file.
slipway_sum() {
  if slipway_has sha256sum; then
    slipway_line=$(sha256sum <"$1")
  elif slipway_has shasum; then
    slipway_line=$(shasum -a 256 <"$1")
  else
    slipway_line=$(openssl dgst -sha256 -r <"$1")
  fi
  printf '%s' "${slipway_line%% *}"
}

# Prints the size of a file in bytes; 0 without it.
slipway_size() {
  if [ -f "$1" ]; then wc -c <"$1"; else printf '0'; fi
}

# Downloads a URL into a file, once; the rest of it if the file has the beginning. Leaves why it failed in slipway_reason.
slipway_fetch_once() {
  slipway_continue=
  [ ! -s "$2" ] || slipway_continue=yes
  if slipway_has curl; then
    slipway_reason=$(curl -fsSL ${slipway_continue:+-C -} --connect-timeout 15 --speed-limit 1000 --speed-time 60 -o "$2" "$1" 2>&1)
    return
  fi
  case $(wget --help 2>&1) in
  # Its option for a timeout crashes some of its releases.
  *BusyBox*) slipway_reason=$(wget -q ${slipway_continue:+-c} -O "$2" "$1" 2>&1) ;;
  *) slipway_reason=$(wget -nv -t 1 -T 60 ${slipway_continue:+-c} -O "$2" "$1" 2>&1) ;;
  esac
}

slipway_not_ready="the server is not ready (503)"

# Says why a try failed, and what comes next. A server that makes the download keeps each try waiting for a while.
slipway_say_next() {
  if [ "$slipway_reason" = "$slipway_not_ready" ]; then
    slipway_say "the server is preparing the download, which takes a minute the first time; waiting (try $slipway_try of $slipway_tries)"
  else
    slipway_say "cannot download $1: $slipway_reason; trying again"
  fi
}

# Downloads a URL into a file. Tries again with growing pauses, from where it was cut. Returns 1 if the server lacks it.
slipway_fetch() {
  slipway_try=1
  slipway_tries=${SLIPWAY_DOWNLOAD_TRIES:-10}
  slipway_pause=1
  rm -f "$2"
  while
    slipway_before=$(slipway_size "$2")
    ! slipway_fetch_once "$1" "$2"
  do
    # The last line says it.
    slipway_reason=${slipway_reason##*
}
    case $slipway_reason in
    # GNU wget says nothing of it.
    '') slipway_reason="the connection was closed" ;;
    *" 404"*) return 1 ;;
    "curl: (23)"* | *"No space left"* | *"quota exceeded"*)
      slipway_fail "cannot write ${2%/*}: $slipway_reason" "check the free space (df -h ${2%/.new-*})"
      ;;
    *" 503"*) slipway_reason=$slipway_not_ready ;;
    esac
    if [ "$slipway_try" -ge "$slipway_tries" ]; then
      slipway_fail "cannot download $1: $slipway_reason" \
        "check that this machine reaches $slipway_server, and try again"
    fi
    slipway_say_next "$1"
    # Machines that start together do not come back together.
    sleep $((slipway_pause + $$ % 2))
    # A try that got on does not count.
    if [ "$(slipway_size "$2")" -gt "$slipway_before" ]; then
      slipway_pause=1
      continue
    fi
    # Not everything between here and the server can send the rest of a file.
    rm -f "$2"
    slipway_try=$((slipway_try + 1))
    [ "$slipway_pause" -ge 8 ] || slipway_pause=$((slipway_pause * 2))
  done
}

# Makes slipway_work, a directory for what is unfinished, below a directory. It is removed at the end of the script.
slipway_open_work() {
  # Containers that share a home directory may have the same host name, and each has a process of the same number.
  slipway_space=$(readlink /proc/self/ns/pid 2>/dev/null) || slipway_space=
  # It is pid:[number].
  slipway_space=${slipway_space#*:?}
  slipway_mine=$1/.new-$(uname -n)-${slipway_space%?}
  slipway_work=$slipway_mine-$$
  # What a killed run has left; one whose process this one cannot see may still run for a day.
  for slipway_left in "$1/.new-"*; do
    [ -d "$slipway_left" ] || continue
    case $slipway_left in
    "$slipway_mine-"*) kill -0 "${slipway_left##*-}" 2>/dev/null || rm -rf "$slipway_left" ;;
    *) [ -z "$(find "$slipway_left" -prune -mtime +0 2>/dev/null)" ] || rm -rf "$slipway_left" ;;
    esac
  done
  trap 'rm -rf "$slipway_work"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  rm -rf "$slipway_work"
  mkdir "$slipway_work" ||
    slipway_fail "cannot write to $1" "check its owner and the free space"
}

# Removes what is unfinished, before another program takes the place of the script.
slipway_close_work() {
  rm -rf "$slipway_work"
  trap - EXIT HUP INT TERM
}

# Sets slipway_root to the directory of the server's present release below a directory, which it downloads and unpacks
# there unless it is there already. It appears as a whole or not at all.
slipway_get() {
  slipway_find_machine
  slipway_find_programs
  slipway_open_work "$1"
  slipway_round=1
  while :; do
    slipway_file=slipway-linux-$slipway_arch.$slipway_ending
    if ! slipway_fetch "$slipway_server/bin/$slipway_file.sha256" "$slipway_work/sum"; then
      # A directory of ready archives may lack the smaller ones.
      if [ "$slipway_ending" = tar.zst ] && slipway_has gzip; then
        slipway_choose_gzip
        continue
      fi
      slipway_fail "the server has no $slipway_server/bin/$slipway_file" \
        "ask its administrator whether its downloads are turned off"
    fi
    read -r slipway_wanted slipway_rest <"$slipway_work/sum" || :
    case $slipway_wanted in
    '' | *[!0-9a-f]*) slipway_fail "$slipway_server/bin/$slipway_file.sha256 is not a sum" \
      "check that nothing between this machine and the server answers in its place" ;;
    esac
    slipway_root=$1/$(printf '%.16s' "$slipway_wanted")
    if [ -x "$slipway_root/bin/slipway" ]; then
      touch "$slipway_root" 2>/dev/null || :
      return
    fi
    slipway_say "downloading $slipway_server/bin/$slipway_file"
    slipway_found="not there (404)"
    if slipway_fetch "$slipway_server/bin/$slipway_file?sha256=$slipway_wanted" "$slipway_work/archive"; then
      slipway_found=$(slipway_sum "$slipway_work/archive")
      [ "$slipway_found" != "$slipway_wanted" ] || break
    fi
    # The server may have been replaced meanwhile.
    [ "$slipway_round" -lt 3 ] ||
      slipway_fail "the sum of $slipway_file is $slipway_found, but should be $slipway_wanted" \
        "the download was damaged or changed on its way: try again, and check the proxies in between"
    slipway_round=$((slipway_round + 1))
  done
  $slipway_unpack "$slipway_work/archive" | tar -xf - -C "$slipway_work" ||
    slipway_fail "cannot unpack $slipway_file in $1" "it takes 200 MB: check the free space (df -h $1)"
  rm -f "$slipway_work/archive"
  slipway_error=$("$slipway_work/slipway/bin/slipway" --version 2>&1) ||
    slipway_fail "the download does not run from $1: $slipway_error" \
      "if the file system does not allow programs (noexec), $slipway_elsewhere"
  if [ -e "$slipway_root" ] && [ ! -x "$slipway_root/bin/slipway" ]; then rm -rf "$slipway_root"; fi
  # Another run may have been faster; then this one ends up inside, and is removed.
  [ -e "$slipway_root" ] || mv "$slipway_work/slipway" "$slipway_root"
  rm -rf "$slipway_root/slipway"
  # Its time is that of the archive until here, and the newest releases are kept.
  touch "$slipway_root" 2>/dev/null || :
}

# Removes all releases below a directory but the newest few and those that run.
slipway_remove_old() {
  slipway_running=$(ls -l /proc/[0-9]*/exe 2>/dev/null)
  slipway_kept=0
  ls -1t "$1" 2>/dev/null | while read -r slipway_name; do
    case $slipway_name in
    ????????????????) ;;
    *) continue ;;
    esac
    case $slipway_name in *[!0-9a-f]*) continue ;; esac
    slipway_kept=$((slipway_kept + 1))
    [ "$slipway_kept" -gt 3 ] || continue
    [ "$1/$slipway_name" != "$slipway_root" ] || continue
    case $slipway_running in *"$1/$slipway_name/"*) continue ;; esac
    rm -rf "${1:?}/$slipway_name"
  done
}
