import type { BuildParameter } from "@slipway/api/builds/build";
import { listBuildParameters } from "@slipway/api/builds/routes";
import type { BodyOf } from "@slipway/api/contract/route";
import type { Template } from "@slipway/api/templates/template";
import { createWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";

import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import { readDuration } from "../../command/duration.ts";
import { UsageError } from "../../command/errors.ts";
import type { ClientNeeds, Needs } from "../../command/needs.ts";
import { type LogInNeeds, requireLogIns } from "../../resources/accounts/external-auth.ts";
import { queuedOutcome, waitForStart } from "../../resources/builds/begin-build.ts";
import { isFinal } from "../../resources/builds/follow-job.ts";
import { chooseParameters, promptsOf } from "../../resources/templates/choose-parameters.ts";
import { type GivenValues, readGivenValues } from "../../resources/templates/given-values.ts";
import { ParameterForm } from "../../resources/templates/parameter-form.ts";
import { presetValues } from "../../resources/templates/preset-values.ts";
import { cronOf, readStartTime } from "../../resources/workspaces/cron.ts";
import { goodOutcome, type Outcome, printOutcome } from "../../resources/workspaces/outcome.ts";
import { findWorkspace, fullName } from "../../resources/workspaces/workspace-reference.ts";
import type { command } from "../create.ts";
import { choosePreset } from "./choose-preset.ts";
import { chooseTemplate, chooseVersion } from "./choose-template.ts";
import { checkIsFree, readName } from "./workspace-name.ts";

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
  const { presetName, ...chosen } = await chooseVersionAndValues(
    { template, owner: named.owner },
    options,
    given,
    needs,
  );
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
  { template, owner }: { readonly template: Template; readonly owner: string },
  options: OptionsOf<typeof command>,
  { given, defaults }: GivenValues,
  needs: LogInNeeds,
): Promise<ChosenFields & { readonly presetName: string | undefined }> {
  const { templateVersion, useParameterDefaults, alwaysPrompt } = options;
  const version = await chooseVersion(template, templateVersion, needs);
  await requireLogIns(version, needs);
  const copied = await copiedParameters(options.copyParametersFrom, needs);
  const wanted = withCopied(given, copied);
  const subject = { version, owner: owner === "me" ? undefined : owner };
  const form = await ParameterForm.open(subject, needs);
  const preset = await choosePreset(
    version,
    { name: options.preset, given: wanted, ask: !useParameterDefaults },
    needs,
  );
  const values = await chooseParameters(
    form,
    {
      given: alwaysPrompt ? given : wanted,
      defaults: alwaysPrompt ? withCopied(defaults, copied) : defaults,
      preset: preset === undefined ? [] : presetValues(preset),
      kept: [],
      ask: useParameterDefaults ? "needed" : "unset",
      askEphemeral: promptsOf(options).askEphemeral,
    },
    needs.terminal,
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

/** Returns the workspace's own settings from the flags; the template decides the others. */
function settledFields(
  options: Pick<
    OptionsOf<typeof command>,
    "startAt" | "stopAfter" | "deleteAfter" | "automaticUpdates"
  >,
): Pick<Body, "autostart_schedule" | "ttl_ms" | "on_deadline" | "automatic_updates"> {
  const { startAt, stopAfter, deleteAfter, automaticUpdates } = options;
  if (stopAfter !== undefined && deleteAfter !== undefined) {
    throw new UsageError("pass --stop-after or --delete-after, not both");
  }
  return {
    ...(startAt === undefined ? {} : { autostart_schedule: cronOf(readStartTime(startAt)) }),
    ...(stopAfter === undefined ? {} : { ttl_ms: readDuration("--stop-after", stopAfter) }),
    ...(deleteAfter === undefined
      ? {}
      : { ttl_ms: readDuration("--delete-after", deleteAfter), on_deadline: "delete" as const }),
    automatic_updates: automaticUpdates,
  };
}

/** Returns the values of another workspace's last build; none if no workspace is given. */
async function copiedParameters(
  from: string | undefined,
  { client, signal }: Pick<ClientNeeds, "client" | "signal">,
): Promise<readonly BuildParameter[]> {
  if (from === undefined) return [];
  const { latest_build } = await findWorkspace(client, from, signal);
  return client.call(listBuildParameters, { params: { build: latest_build.id }, signal });
}

/** Returns the given values, and the copied ones of all other parameters. */
function withCopied(
  given: readonly BuildParameter[],
  copied: readonly BuildParameter[],
): readonly BuildParameter[] {
  const names = new Set(given.map(({ name }) => name));
  return [...given, ...copied.filter(({ name }) => !names.has(name))];
}
