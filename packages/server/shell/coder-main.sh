case "${1-}" in
--version | version)
  # Scripts look for the name in the first line.
  if [ "$#" -eq 1 ]; then
    printf 'Coder %s\n' "$slipway_coder_version"
    printf 'This is the agent and the command of Slipway, which downloads the rest of itself when it is used.\n'
    exit 0
  fi
  ;;
agent)
  shift
  slipway_start_agent "$@"
  ;;
esac
slipway_choose_cache
slipway_get "$slipway_cache"
slipway_close_work
exec "$slipway_root/bin/slipway" "$@"
