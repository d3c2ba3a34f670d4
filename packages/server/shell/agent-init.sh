#!/bin/sh
# Starts the agent of a workspace. CODER_AGENT_TOKEN is in the environment, unless the machine proves its identity.
{
set -u
export CODER_AGENT_URL='${ACCESS_URL}' CODER_AGENT_AUTH='${AUTH_TYPE}'
slipway_url="${CODER_AGENT_URL%/}/bin/start.sh"
while :; do
  slipway_start=$(curl -fsSL "$slipway_url" || wget -qO- "$slipway_url") && break
  echo "cannot get $slipway_url: trying again in 10 seconds" >&2
  sleep 10
done
exec sh -c "$slipway_start"
exit
}
