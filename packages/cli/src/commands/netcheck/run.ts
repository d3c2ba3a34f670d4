import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { printJson } from "../../command/print-json.ts";
import { connectAsAgent, isInside } from "../../resources/inside/agent-client.ts";
import { reportJson, reportLines, reportOf } from "../../resources/network/network-report.ts";
import { Progress } from "../../terminal/progress.ts";
import type { command } from "./command.ts";

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
