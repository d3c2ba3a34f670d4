import { defineCommand } from "../command/definition.ts";
import { outputFlag } from "../command/flags.ts";
import { agentArgument } from "../resources/network/agent-reference.ts";
import { disableAutostartFlag } from "../resources/network/network-flags.ts";

export const command = defineCommand({
  summary: "run a command in a workspace that outlives its connection",
  description:
    "Run a command in a workspace, and exit with its exit code. Write -- before a command with flags. The words are a " +
    "program and its arguments; for a shell, run sh -c. The command survives lost connections, and even this program: " +
    "attach to it again with --attach. The first Ctrl-C is passed on to it, the second leaves it.",
  arguments: {
    workspace: agentArgument,
    command: { summary: "program and its arguments", required: false, variadic: true },
  },
  flags: {
    interactive: { kind: "switch", short: "i", summary: "pass stdin on to the command" },
    tty: { kind: "switch", short: "t", summary: "give the command a terminal" },
    detach: { kind: "switch", short: "d", summary: "print the id of the run, and leave it" },
    attach: { kind: "text", value: "run", summary: "attach to a run by its id" },
    after: {
      kind: "integer",
      value: "position",
      summary: "bytes of output to skip with --attach (default: 0)",
    },
    env: { kind: "list", short: "e", value: "name=value", summary: "environment variable to set" },
    workdir: {
      kind: "text",
      short: "w",
      value: "directory",
      summary: "working directory (default: the agent's)",
    },
    user: {
      kind: "text",
      short: "u",
      value: "user",
      summary: "user to run as, where the agent is root (default: the agent's)",
    },
    timeout: {
      kind: "text",
      value: "duration",
      summary: "time limit, such as 90s; then SIGTERM, and SIGKILL after 5 seconds",
    },
    disableAutostart: disableAutostartFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway exec demo -- ls -la", summary: "a command with flags" },
    { line: "slipway exec -it demo -- bash", summary: "a shell" },
    { line: "slipway exec -d demo -- make test", summary: "start it, and print the id of the run" },
    {
      line: "slipway exec demo --attach 3f1c2d4a-5e6f-4a7b-8c9d-0e1f2a3b4c5d",
      summary: "its output from the beginning, and its exit code",
    },
    { line: "tar c src | slipway exec -i demo -- tar x -C /tmp", summary: "stdin as it is" },
    { line: "slipway exec demo -o json -- git status", summary: "the result as JSON" },
  ],
});
