import { type BodyOf, createWorkspace, getWorkspaceByName, nameProblem } from "@slipway/api";
import { ApiError } from "@slipway/sdk/http";

import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import { readDuration } from "../../command/duration.ts";
import { CommandError, UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { queuedText, waitForStart } from "../builds/begin-build.ts";
import { isFinal } from "../builds/follow-job.ts";
import { chooseParameters } from "../parameters/choose-parameters.ts";
import { readGivenValues } from "../parameters/given-values.ts";
import { cronOf, readStartTime } from "../schedule/cron.ts";
import { fullName } from "../workspace/reference.ts";
import { choosePreset, presetValues } from "./choose-preset.ts";
import { type Asking, chooseTemplate } from "./choose-template.ts";
import { chooseVersion } from "./choose-version.ts";
import type { command } from "./command.ts";
import { copiedParameters, withCopied } from "./copied-parameters.ts";
import { inventName } from "./invent-name.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const { owner, name } = readName(options.name);
  const { given, defaults } = await readGivenValues(options);
  const watching = { client: connect(settings), terminal, clock, signal };
  const asking = { ...watching, terminal };
  const settled = settledFields(options);
  const template = await chooseTemplate(options.template, asking);
  if (options.name !== undefined) await checkIsFree(owner, name, asking);
  const version = await chooseVersion(template, options.templateVersion, watching);
  const copied = await copiedParameters(options.copyParametersFrom, watching);
  const wanted = withCopied(given, copied);
  const preset = await choosePreset(
    version,
    { name: options.preset, given: wanted, ask: !options.useParameterDefaults },
    asking,
  );
  const values = await chooseParameters(
    version,
    {
      given: options.alwaysPrompt ? given : wanted,
      defaults: options.alwaysPrompt ? withCopied(defaults, copied) : defaults,
      preset: preset === undefined ? [] : presetValues(preset),
      kept: [],
      ask: options.useParameterDefaults ? "needed" : "unset",
    },
    asking,
  );
  const workspace = await watching.client.call(createWorkspace, {
    params: { user: owner },
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

/** Reads `name` or `owner/name`; without it the name is made up. Throws `UsageError`. */
function readName(given: string | undefined): { readonly owner: string; readonly name: string } {
  if (given === undefined) return { owner: "me", name: inventName() };
  const [first = "", second, ...more] = given.split("/");
  const [owner, name] = second === undefined ? ["me", first] : [first, second];
  const problem = nameProblem(name);
  if (more.length > 0 || owner === "") {
    throw new UsageError(`"${given}" is no name, wanted name or owner/name`);
  }
  if (problem !== undefined) throw new UsageError(`the name of the workspace ${problem}`);
  return { owner, name };
}

/** Throws `CommandError` where the name is taken, before anybody is asked for more. */
async function checkIsFree(
  user: string,
  name: string,
  { client, signal }: Pick<Asking, "client" | "signal">,
): Promise<void> {
  try {
    const taken = await client.call(getWorkspaceByName, { params: { user, name }, signal });
    throw new CommandError(`there is a workspace ${fullName(taken)} already`, {
      hint: `see it with: slipway show ${fullName(taken)}`,
    });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // Free, or not for this user to see: the server decides when the workspace is made.
  }
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
