import { nameProblem } from "@slipway/api/contract/name";
import { getWorkspaceByName } from "@slipway/api/workspaces/routes";
import { ApiError } from "@slipway/sdk/http";

import { CommandError, UsageError } from "../../command/errors.ts";
import type { ClientNeeds } from "../../command/needs.ts";
import { fullName } from "../../resources/workspaces/workspace-reference.ts";

/** The name of a new workspace, and its owner. */
export interface WorkspaceName {
  readonly owner: string;
  readonly name: string;
}

/** Reads `name` or `owner/name`; without it, generates a name. Throws `UsageError`. */
export function readName(given: string | undefined): WorkspaceName {
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
export async function checkIsFree(
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
    // Free, or invisible to this user: the server decides when the workspace is created.
  }
}

const qualities = (
  "amber brave calm clear coral crisp early fleet gentle golden keen light " +
  "lucky mellow nimble north quick quiet ready silver steady swift tidal warm"
).split(" ");
const vessels = (
  "barge brig canoe clipper cutter dinghy ferry frigate galley junk kayak ketch " +
  "launch lugger packet pilot pinnace punt raft schooner skiff sloop tender yawl"
).split(" ");

/** Generates a name for a workspace: `swift-ketch-407`. */
export function generateName(random: () => number = Math.random): string {
  const pick = (words: readonly string[]): string =>
    words[Math.floor(random() * words.length)] ?? "ship";
  return `${pick(qualities)}-${pick(vessels)}-${Math.floor(100 + random() * 900)}`;
}
