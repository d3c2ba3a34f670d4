slipway_start_agent "$@"
