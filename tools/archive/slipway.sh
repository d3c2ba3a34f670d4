#!/bin/sh
# Runs the command, or the agent, on the Node.js in this directory: with the system's C library, or with the one in
# this directory if the system's is too old or a different one.
self=$(readlink -f "$0" 2>/dev/null) || self=$0
root=${self%/bin/*}
node=$root/lib/node
own=$root/lib/glibc/@loader@
system=@system@

# Succeeds if the system has all libraries of Node.js and its addons.
system_runs() {
  [ -x "$system" ] || return 1
  for file in "$node" "$root"/lib/node_modules/sodium-native/prebuilds/*/sodium-native.node; do
    found=$("$system" --list "$file" 2>&1) || return 1
    case $found in *"not found"*) return 1 ;; esac
  done
}

program=$root/lib/slipway/command.cjs
# A short command ends before it fills a larger nursery, and collects less.
nursery=--min-semi-space-size=16
if [ "${1-}" = server ]; then nursery=; fi
if [ "${1-}" = agent ]; then
  case " $* " in
  *" --help "* | *" -h "*) ;;
  *)
    shift
    nursery=
    program=$root/lib/slipway/agent/dist/agent.cjs
    # Scripts of the workspace find the command unless the machine has another one.
    PATH=${PATH:-/usr/local/bin:/usr/bin:/bin}:$root/bin
    export PATH
    ;;
  esac
fi

if [ ! -x "$own" ] || system_runs; then
  exec "$node" $nursery "$program" "$@"
fi
exec "$own" --inhibit-cache --library-path "$root/lib/glibc" "$node" $nursery "$program" "$@"
