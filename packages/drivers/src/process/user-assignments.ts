import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { systemErrorCode } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";

import { DriverError } from "../errors.ts";

/** A range of uids, including both ends. */
export interface UidRange {
  readonly first: number;
  readonly last: number;
}

const busyTimeoutMs = 10_000;

/**
 * Assignments of users to workspaces, in a database shared by the servers of one machine. An assignment lasts as long
 * as the workspace's directory; a uid is reused only after every other one has been used.
 */
export class UserAssignments {
  readonly #range: UidRange;
  readonly #file: string;

  private constructor(range: UidRange, directory: string) {
    this.#range = range;
    this.#file = join(directory, "assignments.sqlite");
  }

  /**
   * Opens the database in the first of these directories that is writable: a container may have a read-only file
   * system.
   */
  static async open(range: UidRange, directories: readonly string[]): Promise<UserAssignments> {
    for (const [index, directory] of directories.entries()) {
      try {
        await makeDirectories(directory, 0o700);
        return new UserAssignments(range, directory);
      } catch (error) {
        const isClosed = ["EROFS", "EACCES", "EPERM"].includes(systemErrorCode(error) ?? "");
        if (!isClosed || index === directories.length - 1) throw error;
      }
    }
    throw new TypeError("no directory was given");
  }

  /**
   * Returns the uid of the workspace in that directory. `present` is the current owner of its home; `isFree` tells
   * whether a uid may be assigned. Throws `not-startable` when all are in use.
   */
  assign(directory: string, present: number | undefined, isFree: (uid: number) => boolean): number {
    using database = new DatabaseSync(this.#file, { timeout: busyTimeoutMs });
    database.exec(schema);
    database.exec("begin immediate");
    const uid =
      this.#known(database, directory) ??
      this.#kept(database, directory, present) ??
      this.#next(database, isFree);
    database.prepare("delete from assignments where uid = ? or directory = ?").run(uid, directory);
    database.prepare("insert into assignments (uid, directory) values (?, ?)").run(uid, directory);
    database.exec("commit");
    return uid;
  }

  #has(uid: number): boolean {
    return uid >= this.#range.first && uid <= this.#range.last;
  }

  #known(database: DatabaseSync, directory: string): number | undefined {
    const row = database.prepare("select uid from assignments where directory = ?").get(directory);
    const uid = Number(row?.["uid"]);
    return this.#has(uid) ? uid : undefined;
  }

  /** Returns the owner of a home whose assignment was lost, as with a volume moved from another machine. */
  #kept(
    database: DatabaseSync,
    directory: string,
    present: number | undefined,
  ): number | undefined {
    if (present === undefined || !this.#has(present)) return undefined;
    const row = database.prepare("select directory from assignments where uid = ?").get(present);
    const other = row?.["directory"];
    const isTaken = typeof other === "string" && other !== directory && existsSync(other);
    return isTaken ? undefined : present;
  }

  #next(database: DatabaseSync, isFree: (uid: number) => boolean): number {
    const rows = database.prepare("select uid, directory from assignments order by sequence").all();
    const used = new Set(rows.map((row) => Number(row["uid"])));
    const { first, last } = this.#range;
    for (let uid = first; uid <= last; uid += 1) if (!used.has(uid) && isFree(uid)) return uid;
    for (const row of rows) {
      const uid = Number(row["uid"]);
      if (this.#has(uid) && !existsSync(String(row["directory"])) && isFree(uid)) return uid;
    }
    throw new DriverError(
      "not-startable",
      `all users from ${first} to ${last} are assigned to workspaces on this machine: delete a workspace, or set SLIPWAY_PROCESS_UIDS to a wider range`,
    );
  }
}

const schema = `create table if not exists assignments (
  sequence integer primary key autoincrement,
  uid integer not null unique,
  directory text not null unique
)`;
