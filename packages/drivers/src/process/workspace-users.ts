import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { systemErrorCode } from "@slipway/runtime";
import { type Account, ownerOf } from "@slipway/runtime/ownership";

import { namesIn } from "./agent-record.ts";
import type { ProcessTable, RunningProcess } from "./running-process.ts";
import { type UidRange, UserAssignments } from "./user-assignments.ts";
import { workspacePaths } from "./workspace-directory.ts";

/** Shared by the whole machine, so that no two servers running as root assign one uid to two workspaces. */
export const machineDirectory = "/var/lib/slipway-users";

export interface WorkspaceUsersOptions {
  readonly range: UidRange;
  readonly table: ProcessTable;
  /** Directories for the assignments, in order of preference. */
  readonly directories: readonly string[];
}

/**
 * Assigns users, by uid, for a server running as root: each workspace has its own user, which owns no other files or
 * processes.
 */
export class WorkspaceUsers {
  readonly #options: WorkspaceUsersOptions;

  constructor(options: WorkspaceUsersOptions) {
    this.#options = options;
  }

  /** Returns the uid of the user whose home is in a workspace's directory; undefined if it is not one of ours. */
  async userOf(directory: string): Promise<number | undefined> {
    const uid = (await ownerOf(workspacePaths(directory).home))?.uid;
    return uid !== undefined && this.#has(uid) ? uid : undefined;
  }

  /** Returns the user of a workspace, which stays the same while its directory exists. Throws `not-startable`. */
  async assign(directory: string): Promise<Account> {
    const { range, directories, table } = this.#options;
    const assignments = await UserAssignments.open(range, directories);
    const [present, named, neighbors, processes] = await Promise.all([
      this.userOf(directory),
      namedIds(),
      this.#neighborsOf(directory),
      table.list(),
    ]);
    const taken = new Set([...named, ...neighbors, ...processes.map(({ uid }) => uid)]);
    const mayKeep = present !== undefined && !neighbors.has(present) ? present : undefined;
    const uid = assignments.assign(directory, mayKeep, (one) => !taken.has(one));
    return { uid, gid: uid };
  }

  /**
   * Returns the processes with only their genuine marks: a workspace's user may set those of another workspace, or
   * anything else. `workspaces` are the existing directories.
   */
  async withoutForgedMarks(
    processes: readonly RunningProcess[],
    workspaces: readonly string[],
  ): Promise<RunningProcess[]> {
    const owners = new Map(
      await Promise.all(
        workspaces.map(async (directory) => [directory, await this.userOf(directory)] as const),
      ),
    );
    return processes.map((found) => {
      if (found.marks === undefined || !this.#has(found.uid)) return found;
      const isTheirs = owners.get(found.marks.directory) === found.uid;
      return isTheirs ? found : { ...found, marks: undefined };
    });
  }

  #has(uid: number): boolean {
    const { first, last } = this.#options.range;
    return uid >= first && uid <= last;
  }

  /** Returns the users of the other workspaces of this server, even if their assignments are lost. */
  async #neighborsOf(directory: string): Promise<ReadonlySet<number>> {
    const root = dirname(directory);
    const others = (await namesIn(root)).map((name) => join(root, name));
    const uids = await Promise.all(
      others.filter((other) => other !== directory).map((other) => this.userOf(other)),
    );
    return new Set(uids.filter((uid) => uid !== undefined));
  }
}

/** Returns the uids and gids that have a name on this machine, regardless of the range that an operator chose. */
async function namedIds(): Promise<ReadonlySet<number>> {
  const texts = await Promise.all(["/etc/passwd", "/etc/group"].map(readOrEmpty));
  // Both files have the id in the third field.
  const fields = texts.flatMap((text) => text.split("\n").map((line) => line.split(":")[2]));
  return new Set(fields.filter((field) => field !== undefined).map(Number));
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return "";
    throw error;
  }
}
