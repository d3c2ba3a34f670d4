import { type BodyOf, createWorkspace, nameProblem } from "@slipway/api";

import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import { readDuration } from "../../command/duration.ts";
import { UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { queuedText, waitForStart } from "../builds/begin-build.ts";
import { isFinal } from "../builds/follow-job.ts";
import { readParameters } from "../parameters/assignment.ts";
import { chooseParameters } from "../parameters/choose-parameters.ts";
import { cronOf, readStartTime } from "../schedule/cron.ts";
import { fullName } from "../workspace/reference.ts";
import { choosePreset, presetValues } from "./choose-preset.ts";
import { chooseTemplate } from "./choose-template.ts";
import { chooseVersion } from "./choose-version.ts";
import type { command } from "./command.ts";
import { copiedParameters, withCopied } from "./copied-parameters.ts";
import { inventName } from "./invent-name.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const name = readName(options.name);
  const given = readParameters(options.parameter);
  const watching = { client: connect(settings), terminal, clock, signal };
  const asking = { ...watching, terminal };
  const settled = settledFields(options);
  const template = await chooseTemplate(options.template, asking);
  const version = await chooseVersion(template, options.templateVersion, watching);
  const copied = await copiedParameters(options.copyParametersFrom, watching);
  const wanted = withCopied(given, copied);
  const preset = await choosePreset(version, options.preset, wanted, watching);
  const values = await chooseParameters(
    version,
    { given: wanted, preset: preset === undefined ? [] : presetValues(preset), kept: [] },
    asking,
  );
  const workspace = await watching.client.call(createWorkspace, {
    params: { user: "me" },
    body: {
      name,
      ...(options.templateVersion === undefined
        ? { template_id: template.id }
        : { template_version_id: version }),
      rich_parameter_values: values,
      ...(preset === undefined ? {} : { template_version_preset_id: preset.ID }),
      ...settled,
    },
    signal,
  });
  const { latest_build: build } = workspace;
  // A workspace that is new and was built before waited as a prebuild.
  const isClaimed = build.build_number > 1;
  terminal.err.line(
    `created ${fullName(workspace)} from ${template.name}${preset === undefined ? "" : `, preset ${preset.Name}`}`,
  );
  if (isClaimed) terminal.err.line("a prebuild was waiting: it is yours now, and runs already");
  if (!options.noWait) await waitForStart(build, watching, { hasRunning: isClaimed });
  else if (!isFinal(build.job)) terminal.err.line(queuedText(build, workspace));
  return exitCodes.ok;
}

function readName(given: string | undefined): string {
  if (given === undefined) return inventName();
  const problem = nameProblem(given);
  if (problem !== undefined) throw new UsageError(`the name of the workspace ${problem}`);
  return given;
}

/** What is said of the workspace's own settings; what is not said is left to the template. */
function settledFields(
  options: Pick<OptionsOf<typeof command>, "startAt" | "stopAfter" | "automaticUpdates">,
): Pick<BodyOf<typeof createWorkspace>, "autostart_schedule" | "ttl_ms" | "automatic_updates"> {
  const { startAt, stopAfter, automaticUpdates } = options;
  return {
    ...(startAt === undefined ? {} : { autostart_schedule: cronOf(readStartTime(startAt)) }),
    ...(stopAfter === undefined ? {} : { ttl_ms: readDuration("--stop-after", stopAfter) }),
    automatic_updates: automaticUpdates,
  };
}
