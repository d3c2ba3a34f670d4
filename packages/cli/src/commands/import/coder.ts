import { listUserOrganizations } from "@slipway/api/organizations/routes";

import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { CommandError, UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { outputFlag, yesFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { Progress } from "../../terminal/progress.ts";
import { isPending, type ImportEntry, plannedEntries } from "./coder/import-items.ts";
import { deprecateTemplates, importTemplates } from "./coder/import-templates.ts";
import { importUsers } from "./coder/import-users.ts";
import { importWorkspaces } from "./coder/import-workspaces.ts";
import {
  openSource,
  openTarget,
  type OwnedServer,
  readAddress,
  sameServer,
} from "./coder/open-servers.ts";
import { planImport } from "./coder/plan-import.ts";
import type { ImportPlan } from "./coder/plan.ts";
import { readTemplates, readUsers, readWorkspaces } from "./coder/read-source.ts";
import { nameKey, readTarget, type TargetDeployment } from "./coder/read-target.ts";
import { reportImport } from "./coder/report-import.ts";

export const command = defineCommand({
  summary: "import users, templates and workspaces from a Coder server",
  description:
    "Read a Coder server, or another Slipway server, with the token of one of its owners, and create its users, its " +
    "templates with their versions, and its workspaces, stopped, on the server that you are logged in to. Nothing is " +
    "changed there, and nothing that exists here is overwritten; a second run continues where the first one ended. " +
    "Passwords, the disks of workspaces and the state of their infrastructure do not come over. Begin with --dry-run.",
  arguments: { url: { summary: "address of the server to read", required: true } },
  flags: {
    tokenFile: {
      kind: "text",
      value: "path",
      summary:
        "file with the session token of an owner there; - reads standard input (default: CODER_SESSION_TOKEN, or a prompt)",
      completion: "files",
    },
    dryRun: { kind: "switch", summary: "print what would come over, and change nothing" },
    versions: {
      kind: "choice",
      choices: ["all", "used"],
      summary: "versions of templates: all, or the active ones and those that workspaces use",
    },
    yes: yesFlag,
    output: outputFlag,
  },
  examples: [
    {
      line: "slipway import coder https://coder.example.com --dry-run",
      summary: "show what would come over, and what cannot",
    },
    {
      line: "slipway import coder https://coder.example.com --token-file token.txt --yes",
      summary: "import it, without a terminal",
    },
  ],
});

type ImportOptions = OptionsOf<typeof command>;
type CommandNeeds = Pick<Needs, "terminal" | "settings" | "environment" | "clock" | "signal">;

export async function run(options: ImportOptions, needs: CommandNeeds): Promise<number> {
  const { terminal, signal } = needs;
  const address = { serverUrl: readAddress(options.url), tokenFile: options.tokenFile };
  const target = await openTarget(address, needs);
  const source = await openSource(address, needs);
  requireOther(source, target);
  const { plan, here } = await prepare(source, target, options, needs);
  const isPlannedOnly = options.dryRun || !hasWork(plan);
  if (isPlannedOnly || !options.yes) {
    const output = isPlannedOnly ? options.output : "text";
    const code = reportImport(terminal, plannedEntries(plan), output);
    if (isPlannedOnly) {
      terminal.err.line(options.dryRun ? "nothing was changed" : "nothing to import");
      return code;
    }
    await confirm(target, needs);
  }
  try {
    const entries = await carryOutPlan(plan, { source, target, here }, needs);
    return reportImport(terminal, entries, options.output);
  } catch (error) {
    if (signal.aborted) terminal.err.line("run the same command again to continue");
    throw error;
  }
}

/** Throws `UsageError` if both addresses lead to the same servers. */
function requireOther(source: OwnedServer, target: OwnedServer): void {
  const isSame =
    source.server.serverUrl === target.server.serverUrl ||
    (source.deploymentId !== "" && source.deploymentId === target.deploymentId);
  if (isSame) throw sameServer(source.server.serverUrl);
}

async function prepare(
  source: OwnedServer,
  target: OwnedServer,
  { versions }: ImportOptions,
  { terminal, clock }: CommandNeeds,
): Promise<{ readonly plan: ImportPlan; readonly here: TargetDeployment }> {
  using progress = new Progress(terminal.err, clock);
  progress.waitFor("reading users");
  const users = await readUsers(source.server);
  progress.waitFor("reading templates");
  const templates = await readTemplates(source.server);
  progress.waitFor("reading workspaces");
  const workspaces = await readWorkspaces(source.server);
  progress.waitFor("comparing");
  const { username } = target;
  const organizationId = await findOrganizationId(target);
  const here = await readTarget(target.server, { organizationId, username });
  const options = { versions, sourceUsername: source.username };
  return { plan: planImport({ users, templates, workspaces }, here, options), here };
}

async function findOrganizationId({ server }: OwnedServer): Promise<string> {
  const organizations = await server.call(listUserOrganizations, { params: { user: "me" } });
  const found = organizations.find(({ is_default }) => is_default) ?? organizations[0];
  if (found !== undefined) return found.id;
  throw new CommandError("you are not a member of any organization to import into");
}

function hasWork({ users, templates, workspaces }: ImportPlan): boolean {
  return [...users, ...templates, ...workspaces].some(isPending);
}

async function confirm(target: OwnedServer, { terminal }: CommandNeeds): Promise<void> {
  if (!terminal.interactive) {
    throw new UsageError("not a terminal: pass --yes to confirm", "or --dry-run to only look");
  }
  const message = `Import into ${target.server.serverUrl}?`;
  if (await terminal.prompts.confirm(message)) return;
  throw new CommandError("canceled, nothing was changed", { exitCode: exitCodes.failure });
}

async function carryOutPlan(
  { users, templates, workspaces }: ImportPlan,
  servers: {
    readonly source: OwnedServer;
    readonly target: OwnedServer;
    readonly here: TargetDeployment;
  },
  { terminal, clock, signal }: CommandNeeds,
): Promise<ImportEntry[]> {
  using progress = new Progress(terminal.err, clock);
  const { here } = servers;
  const needs = { source: servers.source.server, target: servers.target.server, here, progress };
  const userEntries = await importUsers(users, needs);
  const failed = userEntries.filter(({ outcome }) => outcome === "failed");
  const imported = await importTemplates(templates, { ...needs, clock, signal });
  const workspaceEntries = await importWorkspaces(workspaces, {
    ...needs,
    planned: templates,
    templates: imported.templates,
    failedUsers: new Set(failed.map(({ name }) => nameKey(name))),
  });
  progress.waitFor("deprecating templates");
  const templateEntries = await deprecateTemplates(templates, imported, needs);
  return [...userEntries, ...templateEntries, ...workspaceEntries];
}
