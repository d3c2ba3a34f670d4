import { listBuildParameters } from "@slipway/api";

import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { beginBuild, queuedText, waitForStart } from "../builds/begin-build.ts";
import { settledWorkspace } from "../builds/settle.ts";
import { chooseParameters } from "../parameters/choose-parameters.ts";
import { readGivenValues } from "../parameters/given-values.ts";
import { fullName } from "../workspace/reference.ts";
import type { command } from "./command.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const { given, defaults } = await readGivenValues(options);
  const client = connect(settings);
  const watching = { client, terminal, clock, signal };
  const workspace = await settledWorkspace(options.workspace, watching);
  if (!workspace.outdated && given.length === 0 && !options.alwaysPrompt) {
    terminal.err.line(
      `${fullName(workspace)} is at the active version of ${workspace.template_name} already`,
    );
    return exitCodes.ok;
  }
  const version = workspace.template_active_version_id;
  const params = { build: workspace.latest_build.id };
  const kept = await client.call(listBuildParameters, { params, signal });
  const values = await chooseParameters(
    version,
    { given, defaults, preset: [], kept, ask: options.alwaysPrompt ? "all" : "needed" },
    { client, terminal, signal },
  );
  const build = await beginBuild(
    workspace,
    { transition: "start", template_version_id: version, rich_parameter_values: values },
    watching,
  );
  if (options.noWait) terminal.err.line(queuedText(build, workspace));
  else await waitForStart(build, watching);
  return exitCodes.ok;
}
