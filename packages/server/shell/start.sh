# Sets slipway_cache to a directory that this user alone writes to.
slipway_choose_cache() {
  slipway_elsewhere="set SLIPWAY_CACHE_DIR to another directory"
  if [ -n "${SLIPWAY_CACHE_DIR-}" ]; then
    slipway_cache=$SLIPWAY_CACHE_DIR
    mkdir -p "$slipway_cache" || slipway_fail "cannot make $slipway_cache (SLIPWAY_CACHE_DIR)"
    return
  fi
  for slipway_home in "${XDG_CACHE_HOME-}" "${HOME:+$HOME/.cache}"; do
    # A relative one would be another in every directory.
    case $slipway_home in /*) ;; *) continue ;; esac
    slipway_cache=$slipway_home/slipway/releases
    if mkdir -p "$slipway_cache" 2>/dev/null && [ -w "$slipway_cache" ]; then return; fi
  done
  # There is no home directory. Nobody else may have made this one, or they could choose the program.
  slipway_cache=${TMPDIR:-/tmp}/slipway-$(id -u)
  mkdir -m 700 "$slipway_cache" 2>/dev/null || :
  if [ ! -d "$slipway_cache" ] || [ -L "$slipway_cache" ] || [ ! -O "$slipway_cache" ] || [ ! -w "$slipway_cache" ]; then
    slipway_fail "cannot use $slipway_cache" "$slipway_elsewhere"
  fi
}

# Replaces the script by the agent.
slipway_start_agent() {
  if [ -z "${CODER_AGENT_TOKEN-}${CODER_AGENT_TOKEN_FILE-}" ] && [ "${CODER_AGENT_AUTH:-token}" = token ]; then
    slipway_fail "CODER_AGENT_TOKEN is not set" \
      "copy the whole line that starts the agent: slipway show prints it"
  fi
  CODER_AGENT_URL=$slipway_server
  export CODER_AGENT_URL
  slipway_choose_cache
  slipway_get "$slipway_cache"
  slipway_close_work
  slipway_remove_old "$slipway_cache"
  slipway_say "starting the agent in $slipway_root"
  exec "$slipway_root/bin/slipway" agent "$@" </dev/null
}
