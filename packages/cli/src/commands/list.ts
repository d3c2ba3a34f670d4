import { getUser } from "@slipway/api/users/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import type { ApiClient } from "@slipway/sdk/http";

import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { columnFlag, outputFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";
import { printList } from "../command/print-result.ts";
import { searchText } from "../command/search-pages.ts";
import {
  defaultWorkspaceColumns,
  readWorkspaces,
  searchOf,
  workspaceColumnNames,
  workspaceColumns,
} from "../resources/workspaces/workspace-list.ts";
import { fullName } from "../resources/workspaces/workspace-reference.ts";
import { clockTime } from "../terminal/relative-time.ts";

export const command = defineCommand({
  summary: "list workspaces",
  aliases: ["ls"],
  arguments: {},
  flags: {
    all: { kind: "switch", short: "a", summary: "include other users' workspaces" },
    search: {
      kind: "text",
      value: "query",
      summary: "only workspaces that match, such as 'owner:me template:small status:running'",
    },
    sharedWithMe: {
      kind: "switch",
      summary: "only workspaces that other users share with you",
      hidden: true,
    },
    column: columnFlag(workspaceColumnNames, defaultWorkspaceColumns),
    output: outputFlag,
  },
  examples: [
    { line: "slipway list", summary: "your workspaces" },
    { line: "slipway list --search status:running", summary: "all running workspaces" },
    { line: "slipway list -c workspace,status", summary: "only two columns" },
    { line: "slipway list -o json", summary: "as JSON" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const query = options.sharedWithMe
    ? await sharedSearch(client, options.search, signal)
    : searchOf(options);
  const workspaces = await readWorkspaces(client, query, signal);
  const showOwner = options.all || options.sharedWithMe || options.search !== undefined;
  const columns = workspaceColumns({ showOwner, now: clock.now(), colors: terminal.out.colors });
  const none = query.includes("owner:me")
    ? "no workspaces; create one with: slipway create"
    : "no workspaces";
  const exitCode = printList(terminal, workspaces, options, { columns, none });
  const notice = options.output === "text" ? deletionNotice(workspaces) : undefined;
  if (notice !== undefined) terminal.err.line(notice);
  return exitCode;
}

/** Returns the search for `--shared-with-me`, with the user's id as the stock command sends it. */
async function sharedSearch(
  client: ApiClient,
  search: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const { id } = await client.call(getUser, { params: { user: "me" }, signal });
  return searchText({ shared_with_user: id }, search);
}

/** Names the dormant workspace that is deleted first; undefined if there is none. */
function deletionNotice(workspaces: readonly Workspace[]): string | undefined {
  const deletions = workspaces.flatMap((workspace) =>
    workspace.deleting_at === null ? [] : [{ workspace, at: Date.parse(workspace.deleting_at) }],
  );
  const [first, ...more] = deletions.toSorted((a, b) => a.at - b.at);
  if (first === undefined) return undefined;
  const name = fullName(first.workspace);
  const others = more.length === 0 ? "" : `, and ${more.length} more later`;
  return `${name} is dormant and will be deleted on ${clockTime(first.at)}${others}; keep it with: slipway start ${name}`;
}
