import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { exitCodes } from "../command/exit-codes.ts";
import { outputFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";
import { printJson } from "../command/print-result.ts";
import { connectAsAgent, isInside } from "../resources/inside/agent-client.ts";
import { hiddenAgentFlags } from "../resources/inside/agent-flags.ts";
import { reportJson, reportLines, reportOf } from "../resources/network/network-report.ts";
import { Progress } from "../terminal/progress.ts";

export const command = defineCommand({
  summary: "check the network between this machine and the relays",
  description:
    "Check the network between this machine and the relays: latencies, the connection to the nearest relay, and whether " +
    "UDP makes direct connections possible. Inside a workspace it needs no login.",
  arguments: {},
  flags: { ...hiddenAgentFlags, output: outputFlag },
  examples: [
    { line: "slipway netcheck", summary: "relays and UDP, and what fails" },
    { line: "slipway netcheck -o json", summary: "as JSON" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  needs: Pick<Needs, "terminal" | "settings" | "environment" | "clock" | "signal">,
): Promise<number> {
  const { output } = options;
  const { terminal, settings, environment, clock, signal } = needs;
  const caller = settings.token === undefined && isInside(options, environment) ? "agent" : "user";
  const client = caller === "agent" ? await connectAsAgent(options, needs) : connect(settings);
  const { out } = terminal;
  using progress = new Progress(terminal.err, clock);
  progress.waitFor("checking the network");
  const { checkNetwork } = await import("@slipway/sdk/workspace");
  const report = reportOf(
    await checkNetwork({ client, caller, disableDirect: false, clock, signal }),
  );
  progress.waitFor(undefined);
  if (output === "json") printJson(out, reportJson(report));
  else for (const line of reportLines(report, out)) out.line(line);
  // Without a relay no workspace can be reached.
  return report.transport === undefined ? exitCodes.failure : exitCodes.ok;
}
