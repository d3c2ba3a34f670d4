/*
 * The programs that every container gets beside the agent's archive. They are part of the archive's volume, so that any
 * image with `/bin/sh` runs them.
 */

/** The directory at which containers see the volume with the agent's archive. */
export const archiveDirectory = "/.slipway";

/**
 * Process 1 of a container: runs the agent and, with arguments, the template's command beside it. Passes TERM on to both,
 * reaps what they leave behind (every `wait` of a shell takes orphans too), and ends with the agent's status, which ends
 * the container. The command does not see the agent's token.
 */
export const entryScript = `#!/bin/sh
signals=0
agent=
command=
end() {
  signals=$((signals + 1))
  kill -TERM $agent $command 2>/dev/null
}
trap end TERM INT HUP

if [ $# -gt 0 ]; then
  (
    unset CODER_AGENT_TOKEN
    exec "$@"
  ) &
  command=$!
fi
${archiveDirectory}/slipway/bin/slipway agent &
agent=$!
# A signal may have come before there was an agent.
[ $signals = 0 ] || kill -TERM $agent

# Each signal interrupts the wait once.
status=
while [ "$status" = "" ] || [ $seen != $signals ]; do
  seen=$signals
  wait $agent
  status=$?
done
if [ "$command" != "" ]; then
  kill -TERM $command 2>/dev/null
  # The engine kills what does not end in time. If the agent ended by itself, nothing waits for the command.
  [ $signals = 0 ] || wait $command
fi
exit $status
`;

/** Runs a program of ours on the archive's Node.js: with the system's C library, or with the archive's. */
export const nodeScript = `#!/bin/sh
root=${archiveDirectory}/slipway
if "$root/lib/node" --version >/dev/null 2>&1; then
  exec "$root/lib/node" "$@"
fi
for loader in "$root"/lib/glibc/ld-*; do
  exec "$loader" --inhibit-cache --library-path "$root/lib/glibc" "$root/lib/node" "$@"
done
`;

/** Prints how the server at a URL answers, as one line of JSON: `{"status":200}` or `{"error":"…","code":"…"}`. */
export const probeScript = `
const [url, timeoutMs] = process.argv.slice(2);
const { get } = await import(url.startsWith("https:") ? "node:https" : "node:http");
const print = (answer) => {
  console.log(JSON.stringify(answer));
  process.exit();
};
const late = { error: "no answer within " + timeoutMs + " ms", code: "ETIMEDOUT" };
setTimeout(() => print(late), Number(timeoutMs));
get(url, ({ statusCode }) => print({ status: statusCode })).on("error", (error) =>
  print({ error: error.message || error.code, code: error.code }),
);
`;
