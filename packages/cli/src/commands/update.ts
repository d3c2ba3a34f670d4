import type { Workspace } from "@slipway/api/workspaces/workspace";

import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { noWaitFlag, outputFlag } from "../command/flags.ts";
import type { ClientNeeds, Needs } from "../command/needs.ts";
import { startWith } from "../resources/builds/begin-build.ts";
import { chooseValues } from "../resources/builds/start-request.ts";
import { settledWorkspace } from "../resources/builds/wait-for-build.ts";
import {
  alwaysPromptFlag,
  type GivenValues,
  parameterFlags,
  promptEphemeralFlag,
  readGivenValues,
} from "../resources/templates/given-values.ts";
import { eachWorkspace, type Outcome, plainOutcome } from "../resources/workspaces/outcome.ts";
import { fullName, workspacesArgument } from "../resources/workspaces/workspace-reference.ts";

export const command = defineCommand({
  summary: "update a workspace to its template's active version and start it",
  description:
    "Start the workspace with the active version of its template. Parameter values are kept; on a terminal, " +
    "slipway prompts for those that only the new version requires.",
  arguments: { workspaces: workspacesArgument },
  flags: {
    ...parameterFlags,
    alwaysPrompt: alwaysPromptFlag,
    promptEphemeralParameters: promptEphemeralFlag,
    noWait: noWaitFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway update demo", summary: "with the same parameters" },
    { line: "slipway update demo --parameter greeting=hi", summary: "with a new parameter value" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  needs: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const { terminal, settings, clock, signal } = needs;
  const values = await readGivenValues(options);
  const clientNeeds = { client: connect(settings), terminal, clock, signal };
  return eachWorkspace(options, needs, async (reference) =>
    update(await settledWorkspace(reference, clientNeeds), values, options, clientNeeds),
  );
}

async function update(
  workspace: Workspace,
  values: GivenValues,
  options: OptionsOf<typeof command>,
  needs: ClientNeeds,
): Promise<Outcome> {
  const { alwaysPrompt, promptEphemeralParameters } = options;
  const hasChanges = values.given.length > 0 || alwaysPrompt || promptEphemeralParameters;
  if (!workspace.outdated && !hasChanges) {
    const text = `${fullName(workspace)} is already at the active version of ${workspace.template_name}`;
    return plainOutcome(workspace, text);
  }
  const version = workspace.template_active_version_id;
  const { latest_build: build, owner_id: owner } = workspace;
  const origin = { version, buildId: build.id, owner };
  const request = {
    transition: "start",
    template_version_id: version,
    rich_parameter_values: await chooseValues(origin, values, options, needs),
  } as const;
  return startWith(request, workspace, options, needs);
}
