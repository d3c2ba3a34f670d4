import { defineCommand } from "../../../command/definition.ts";
import { socketFlag, unitArgument } from "../../../resources/inside/agent-socket.ts";

export const command = defineCommand({
  summary: "wait until a unit may start, and mark it as started",
  description:
    "Wait until all units that this one waits for are completed, and mark it as started. Mostly the first line of a " +
    "script, with slipway sync complete as its last.",
  arguments: { unit: { ...unitArgument, required: true } },
  flags: {
    timeout: {
      kind: "text",
      value: "duration",
      summary: "time to wait, such as 30s or 5m (default: 5m)",
    },
    socketPath: socketFlag,
  },
  examples: [
    { line: "slipway sync start app", summary: "wait for what app depends on" },
    { line: "slipway sync start app --timeout 30s", summary: "for half a minute at most" },
  ],
});
