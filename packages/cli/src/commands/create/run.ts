import { createWorkspace, nameProblem } from "@slipway/api";

import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import { UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { queuedText, waitForStart } from "../builds/begin-build.ts";
import { readParameters } from "../parameters/assignment.ts";
import { chooseParameters } from "../parameters/choose-parameters.ts";
import { fullName } from "../workspace/reference.ts";
import { choosePreset, presetValues } from "./choose-preset.ts";
import { chooseTemplate } from "./choose-template.ts";
import type { command } from "./command.ts";
import { inventName } from "./invent-name.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const name = readName(options.name);
  const given = readParameters(options.parameter);
  const watching = { client: connect(settings), terminal, clock, signal };
  const asking = { ...watching, terminal };
  const template = await chooseTemplate(options.template, asking);
  const preset = await choosePreset(template, options.preset, given, watching);
  const values = await chooseParameters(
    template.active_version_id,
    { given, preset: preset === undefined ? [] : presetValues(preset), kept: [] },
    asking,
  );
  const workspace = await watching.client.call(createWorkspace, {
    params: { user: "me" },
    body: {
      name,
      template_id: template.id,
      rich_parameter_values: values,
      ...(preset === undefined ? {} : { template_version_preset_id: preset.ID }),
    },
    signal,
  });
  terminal.err.line(
    `created ${fullName(workspace)} from ${template.name}${preset === undefined ? "" : `, preset ${preset.Name}`}`,
  );
  if (options.noWait) terminal.err.line(queuedText(workspace.latest_build, workspace));
  else await waitForStart(workspace.latest_build, watching);
  return exitCodes.ok;
}

function readName(given: string | undefined): string {
  if (given === undefined) return inventName();
  const problem = nameProblem(given);
  if (problem !== undefined) throw new UsageError(`the name of the workspace ${problem}`);
  return given;
}
