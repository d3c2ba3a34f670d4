import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { type Account, ownerOf } from "@slipway/runtime/ownership";

import { namesIn } from "./agent-record.ts";
import type { ProcessTable, RunningProcess } from "./running-process.ts";
import { systemErrorCode } from "./system-error.ts";
import { type UidRange, UserAssignments } from "./user-assignments.ts";
import { workspacePaths } from "./workspace-directory.ts";

/** One for the whole machine, so that no two servers of root give one number to two workspaces. */
export const machineDirectory = "/var/lib/slipway-users";

export interface WorkspaceUsersOptions {
  readonly range: UidRange;
  readonly table: ProcessTable;
  /** Where assignments are kept, in the order of preference. */
  readonly directories: readonly string[];
}

/** Users of a server of root, by number: each workspace has one of its own, of which nothing else has files or processes. */
export class WorkspaceUsers {
  readonly #options: WorkspaceUsersOptions;
  #assigning: Promise<unknown> = Promise.resolve();

  constructor(options: WorkspaceUsersOptions) {
    this.#options = options;
  }

  /** The number of the user whose home a workspace's directory holds; undefined when it is not one of ours. */
  async userOf(directory: string): Promise<number | undefined> {
    const uid = (await ownerOf(workspacePaths(directory).home))?.uid;
    return uid !== undefined && this.#has(uid) ? uid : undefined;
  }

  /** The user of a workspace, which stays the same as long as its directory. Throws `not-startable`. */
  async assign(directory: string): Promise<Account> {
    // One after the other: what the one gets is taken for the next.
    const assigned = this.#assigning.then(() => this.#assign(directory));
    this.#assigning = assigned.catch(() => undefined);
    const uid = await assigned;
    return { uid, gid: uid };
  }

  /**
   * Processes with only those marks that are theirs: a workspace's user may give its own those of another one, or anything
   * else. `workspaces` are the directories that there are.
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

  async #assign(directory: string): Promise<number> {
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
    return assignments.assign(directory, mayKeep, (uid) => !taken.has(uid));
  }

  /** Users of the other workspaces of this server, whatever has become of their assignments. */
  async #neighborsOf(directory: string): Promise<ReadonlySet<number>> {
    const root = dirname(directory);
    const others = (await namesIn(root)).map((name) => join(root, name));
    const uids = await Promise.all(
      others.filter((other) => other !== directory).map((other) => this.userOf(other)),
    );
    return new Set(uids.filter((uid) => uid !== undefined));
  }
}

/** Numbers of users and groups to which this machine gave a name, whatever range an operator chose. */
async function namedIds(): Promise<ReadonlySet<number>> {
  const texts = await Promise.all(["/etc/passwd", "/etc/group"].map(readOrEmpty));
  // Both have the number in the third field.
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
