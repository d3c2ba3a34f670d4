import {
  type BodyOf,
  createWorkspace,
  getWorkspaceByName,
  nameProblem,
  type Template,
  type Workspace,
} from "@slipway/api";
import { ApiError } from "@slipway/sdk/http";

import type { ClientNeeds } from "../../command/client-needs.ts";
import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import { readDuration } from "../../command/duration.ts";
import { CommandError, UsageError } from "../../command/errors.ts";
import type { Needs } from "../../command/needs.ts";
import { queuedOutcome, waitForStart } from "../../resources/builds/begin-build.ts";
import { isFinal } from "../../resources/builds/follow-job.ts";
import { requireLogIns } from "../../resources/external-auth/required-log-ins.ts";
import type { LogInNeeds } from "../../resources/external-auth/wait-for-log-in.ts";
import { chooseParameters, promptsOf } from "../../resources/parameters/choose-parameters.ts";
import { type GivenValues, readGivenValues } from "../../resources/parameters/given-values.ts";
import { cronOf, readStartTime } from "../../resources/workspaces/cron.ts";
import { goodOutcome, type Outcome, printOutcome } from "../../resources/workspaces/outcome.ts";
import { fullName } from "../../resources/workspaces/workspace-reference.ts";
import { choosePreset, presetValues } from "./choose-preset.ts";
import { chooseTemplate } from "./choose-template.ts";
import { chooseVersion } from "./choose-version.ts";
import type { command } from "./command.ts";
import { copiedParameters, withCopied } from "./copied-parameters.ts";
import { generateName } from "./generate-name.ts";

export async function run(
  options: OptionsOf<typeof command>,
  {
    terminal,
    settings,
    clock,
    opener,
    signal,
  }: Pick<Needs, "terminal" | "settings" | "clock" | "opener" | "signal">,
): Promise<number> {
  const named = readName(options.name);
  const given = await readGivenValues(options);
  const settled = settledFields(options);
  const needs = { client: connect(settings), terminal, clock, opener, signal };
  const template = await chooseTemplate(options.template, settings.organization, needs);
  if (options.name !== undefined) await checkIsFree(named, needs);
  const { presetName, ...chosen } = await chooseVersionAndValues(template, options, given, needs);
  const workspace = await needs.client.call(createWorkspace, {
    params: { user: named.owner },
    body: { name: named.name, ...chosen, ...settled },
    signal,
  });
  const from = presetName === undefined ? template.name : `${template.name}, preset ${presetName}`;
  terminal.err.line(`created ${fullName(workspace)} from ${from}`);
  const outcome = await followCreated(workspace, options.noWait, needs);
  printOutcome(terminal, outcome, options.output);
  return outcome.exitCode;
}

type Body = BodyOf<typeof createWorkspace>;
type ChosenFields = Pick<
  Body,
  "template_id" | "template_version_id" | "rich_parameter_values" | "template_version_preset_id"
>;

/** Chooses the version, preset and values of the workspace, by flags or by prompts. */
async function chooseVersionAndValues(
  template: Template,
  options: OptionsOf<typeof command>,
  { given, defaults }: GivenValues,
  needs: LogInNeeds,
): Promise<ChosenFields & { readonly presetName: string | undefined }> {
  const { templateVersion, useParameterDefaults, alwaysPrompt } = options;
  const version = await chooseVersion(template, templateVersion, needs);
  await requireLogIns(version, needs);
  const copied = await copiedParameters(options.copyParametersFrom, needs);
  const wanted = withCopied(given, copied);
  const preset = await choosePreset(
    version,
    { name: options.preset, given: wanted, ask: !useParameterDefaults },
    needs,
  );
  const values = await chooseParameters(
    version,
    {
      given: alwaysPrompt ? given : wanted,
      defaults: alwaysPrompt ? withCopied(defaults, copied) : defaults,
      preset: preset === undefined ? [] : presetValues(preset),
      kept: [],
      ask: useParameterDefaults ? "needed" : "unset",
      askEphemeral: promptsOf(options).askEphemeral,
    },
    needs,
  );
  return {
    ...(templateVersion === undefined
      ? { template_id: template.id }
      : { template_version_id: version }),
    rich_parameter_values: values,
    ...(preset === undefined ? {} : { template_version_preset_id: preset.ID }),
    presetName: preset?.Name,
  };
}

/** Follows a new workspace until it is ready, unless `noWait`. */
async function followCreated(
  workspace: Workspace,
  noWait: boolean,
  needs: ClientNeeds,
): Promise<Outcome> {
  const { latest_build: build } = workspace;
  // A new workspace with an earlier build was a prebuild.
  const isClaimed = build.build_number > 1;
  if (isClaimed) {
    needs.terminal.err.line("claimed a prebuild, which is already running");
  }
  if (!noWait) return waitForStart(workspace, build, needs, { hasRunning: isClaimed });
  return isFinal(build.job)
    ? goodOutcome(workspace, `${fullName(workspace)} is created`)
    : queuedOutcome(workspace, build, needs);
}

interface WorkspaceName {
  readonly owner: string;
  readonly name: string;
}

/** Reads `name` or `owner/name`; without it, generates a name. Throws `UsageError`. */
function readName(given: string | undefined): WorkspaceName {
  if (given === undefined) return { owner: "me", name: generateName() };
  const [first = "", second, ...more] = given.split("/");
  const [owner, name] = second === undefined ? ["me", first] : [first, second];
  const problem = nameProblem(name);
  if (more.length > 0 || owner === "") {
    throw new UsageError(`"${given}" is not a workspace name, wanted name or owner/name`);
  }
  if (problem !== undefined) throw new UsageError(`the name of the workspace ${problem}`);
  return { owner, name };
}

/** Throws `CommandError` if the name is taken, before any prompt. */
async function checkIsFree(
  { owner, name }: WorkspaceName,
  { client, signal }: Pick<ClientNeeds, "client" | "signal">,
): Promise<void> {
  try {
    const taken = await client.call(getWorkspaceByName, { params: { user: owner, name }, signal });
    throw new CommandError(`workspace ${fullName(taken)} already exists`, {
      hint: `see it with: slipway show ${fullName(taken)}`,
    });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // Free, or not visible to this user: the server decides when the workspace is created.
  }
}

/** Returns the workspace's own settings from the flags; the template decides the others. */
function settledFields(
  options: Pick<OptionsOf<typeof command>, "startAt" | "stopAfter" | "automaticUpdates">,
): Pick<Body, "autostart_schedule" | "ttl_ms" | "automatic_updates"> {
  const { startAt, stopAfter, automaticUpdates } = options;
  return {
    ...(startAt === undefined ? {} : { autostart_schedule: cronOf(readStartTime(startAt)) }),
    ...(stopAfter === undefined ? {} : { ttl_ms: readDuration("--stop-after", stopAfter) }),
    automatic_updates: automaticUpdates,
  };
}
