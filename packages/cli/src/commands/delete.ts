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
      summary: "delete only the record of the workspace, and list the resources that are left",
    },
    noWait: noWaitFlag,
    provisionerLogDebug: provisionerLogDebugFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway delete demo", summary: "ask for confirmation" },
    { line: "slipway delete demo -y", summary: "without confirmation" },
    {
      line: "slipway delete demo --orphan",
      summary: "if the infrastructure is gone; for those who write templates",
    },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  needs: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const { terminal, settings, clock, signal } = needs;
  noteProvisionerLogDebug(options, terminal);
  const clientNeeds = { client: connect(settings), terminal, clock, signal };
  if (!options.yes) await askFirst(options, clientNeeds);
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
  { workspaces, orphan }: Pick<OptionsOf<typeof command>, "workspaces" | "orphan">,
  { client, terminal, signal }: Pick<ClientNeeds, "client" | "terminal" | "signal">,
): Promise<void> {
  if (!terminal.interactive) {
    throw new UsageError("not a terminal: pass --yes to confirm");
  }
  const names: string[] = [];
  for (const reference of new Set(workspaces)) {
    names.push(fullName(await findWorkspace(client, reference, signal)));
  }
  const [it, its] = names.length === 1 ? ["it", "its"] : ["them", "their"];
  const question = orphan
    ? `Delete the record of ${names.join(", ")}? You will have to remove ${its} resources yourself.`
    : `Delete ${names.join(", ")} and everything in ${it}?`;
  if (!(await terminal.prompts.confirm(question))) throw new CommandError("nothing was deleted");
}
