import type { BuildParameter, CreateBuildRequest } from "@slipway/api/builds/build";
import { listBuildParameters } from "@slipway/api/builds/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";

import type { ClientNeeds } from "../../command/needs.ts";
import { chooseParameters, type PromptFlags, promptsOf } from "../templates/choose-parameters.ts";
import {
  alwaysPromptFlag,
  type GivenValues,
  type ParameterOptions,
  parameterFlags,
  promptEphemeralFlag,
  readGivenValues,
} from "../templates/given-values.ts";
import { ParameterForm } from "../templates/parameter-form.ts";

/** Flags of commands that start a workspace, perhaps with other values or the active version. */
export const startFlags = {
  ...parameterFlags,
  alwaysPrompt: alwaysPromptFlag,
  promptEphemeralParameters: promptEphemeralFlag,
  update: { kind: "switch", summary: "update to the template's active version" },
} as const;

/** Options of a start. */
export interface StartChanges extends ParameterOptions, PromptFlags {
  readonly update: boolean;
}

/** Returns whether a workspace that is already running must be restarted. */
export function hasChanges(changes: StartChanges): boolean {
  const { update, parameter, parameterDefault, richParameterFile } = changes;
  return (
    update ||
    changes.alwaysPrompt ||
    changes.promptEphemeralParameters ||
    parameter.length > 0 ||
    parameterDefault.length > 0 ||
    richParameterFile !== undefined
  );
}

/**
 * Returns the request that starts a workspace; parameters without a given value keep that of the previous build.
 * Prompts for those that the version newly requires.
 */
export async function startRequest(
  { latest_build, template_active_version_id, owner_id: owner }: Workspace,
  changes: StartChanges,
  needs: Pick<ClientNeeds, "client" | "terminal" | "signal">,
): Promise<CreateBuildRequest> {
  if (!hasChanges(changes)) return { transition: "start" };
  const version = changes.update ? template_active_version_id : latest_build.template_version_id;
  const values = await chooseValues(
    { version, buildId: latest_build.id, owner },
    await readGivenValues(changes),
    changes,
    needs,
  );
  return {
    transition: "start",
    ...(changes.update ? { template_version_id: version } : {}),
    ...(values.length === 0 ? {} : { rich_parameter_values: values }),
  };
}

/** The version to start, and the build whose values are kept. */
interface StartOrigin {
  readonly version: string;
  readonly buildId: string;
  /** The id of the workspace's owner. */
  readonly owner: string;
}

/**
 * Chooses the values of a start: those given, those of an earlier build, and the answers to prompts, at least for the
 * parameters that the version newly requires.
 */
export async function chooseValues(
  { version, buildId, owner }: StartOrigin,
  { given, defaults }: GivenValues,
  prompts: PromptFlags,
  needs: Pick<ClientNeeds, "client" | "terminal" | "signal">,
): Promise<BuildParameter[]> {
  const { client, signal } = needs;
  const kept = await client.call(listBuildParameters, { params: { build: buildId }, signal });
  const sources = { given, defaults, preset: [], kept, ...promptsOf(prompts) };
  const form = await ParameterForm.open({ version, owner }, needs);
  return chooseParameters(form, sources, needs.terminal);
}
