import { runLimits } from "@slipway/api/agents/request-limits";
import { getRunOutput } from "@slipway/api/agents/run-routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import {
  agentArgument,
  chooseAgent,
  readAgentReference,
} from "../../resources/network/agent-reference.ts";
import { runningWorkspace } from "../../resources/network/running-workspace.ts";

export const command = defineCommand({
  summary: "show the output of a run so far",
  description:
    "Show the output of a run so far, with both streams in their order. To follow it to its end, use exec --attach.",
  arguments: {
    workspace: agentArgument,
    run: { summary: "id of the run", required: true },
  },
  flags: {
    after: { kind: "integer", value: "position", summary: "bytes of output to skip (default: 0)" },
  },
  examples: [
    {
      line: "slipway runs output demo 3f1c2d4a-5e6f-4a7b-8c9d-0e1f2a3b4c5d",
      summary: "the output so far",
    },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const reference = readAgentReference(options.workspace);
  const needs = { client, terminal, clock, signal };
  const workspace = await runningWorkspace(reference.workspace, { autostart: false }, needs);
  const params = { agent: chooseAgent(workspace, reference.agent).id, run: options.run };
  const { output } = terminal.raw();
  for (let after = options.after ?? 0; ;) {
    const query = {
      after: String(after),
      limit: String(runLimits.pageBytes),
      encoding: "base64",
    } as const;
    const page = await client.call(getRunOutput, { params, query, signal });
    if (page.missed_bytes > 0) {
      terminal.err.line(`${page.missed_bytes} B of output are no longer kept`);
    }
    for (const { data } of page.chunks) output.write(Buffer.from(data, "base64"));
    if (page.next_seq === after || page.is_complete) return exitCodes.ok;
    after = page.next_seq;
  }
}
