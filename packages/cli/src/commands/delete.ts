import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { CommandError, UsageError } from "../command/errors.ts";
import { noWaitFlag, outputFlag, yesFlag } from "../command/flags.ts";
import type { ClientNeeds, Needs } from "../command/needs.ts";
import {
  beginBuild,
  noteProvisionerLogDebug,
  provisionerLogDebugFlag,
  queuedOutcome,
} from "../resources/builds/begin-build.ts";
import { settledWorkspace, waitForBuild } from "../resources/builds/wait-for-build.ts";
import { eachWorkspace, goodOutcome, presentWorkspace } from "../resources/workspaces/outcome.ts";
import {
  findWorkspace,
  fullName,
  workspacesArgument,
} from "../resources/workspaces/workspace-reference.ts";

export const command = defineCommand({
  summary: "delete a workspace and everything in it",
  aliases: ["rm"],
  arguments: { workspaces: workspacesArgument },
  flags: {
    yes: yesFlag,
    orphan: {
      kind: "switch",
      summary: "delete only the record of the workspace, not its resources",
    },
    noWait: noWaitFlag,
    provisionerLogDebug: provisionerLogDebugFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway delete demo", summary: "ask for confirmation" },
    { line: "slipway delete demo -y", summary: "without confirmation" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  needs: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const { terminal, settings, clock, signal } = needs;
  noteProvisionerLogDebug(options, terminal);
  const clientNeeds = { client: connect(settings), terminal, clock, signal };
  if (!options.yes) await askFirst(options.workspaces, clientNeeds);
  return eachWorkspace(options, needs, async (reference) => {
    const workspace = await settledWorkspace(reference, clientNeeds);
    const orphan = options.orphan ? { orphan: true } : {};
    const build = await beginBuild(workspace, { transition: "delete", ...orphan }, clientNeeds);
    if (options.noWait) return queuedOutcome(workspace, build, clientNeeds);
    const done = await waitForBuild(build, clientNeeds);
    const present = await presentWorkspace(workspace, done, clientNeeds);
    return goodOutcome(present, `${fullName(workspace)} is deleted`);
  });
}

/** Asks once for all. Throws `CommandError` if declined, and for a missing workspace: nothing is deleted then. */
async function askFirst(
  references: readonly string[],
  { client, terminal, signal }: Pick<ClientNeeds, "client" | "terminal" | "signal">,
): Promise<void> {
  if (!terminal.interactive) {
    throw new UsageError("not a terminal: pass --yes to confirm");
  }
  const names: string[] = [];
  for (const reference of new Set(references)) {
    names.push(fullName(await findWorkspace(client, reference, signal)));
  }
  const what = names.length === 1 ? "it" : "them";
  const question = `Delete ${names.join(", ")} and everything in ${what}?`;
  if (!(await terminal.prompts.confirm(question))) throw new CommandError("nothing was deleted");
}
