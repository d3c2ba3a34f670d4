import { realpath } from "node:fs/promises";

import { systemErrorCode } from "@slipway/runtime";

import { SftpError, SftpStatus } from "./errors.ts";
import type { FieldReader } from "./fields.ts";
import type { OpenHandles } from "./open-handles.ts";

/** A client's view of the files: the base of its relative paths, and its open handles. */
export interface SftpFiles {
  readonly directory: string;
  /** The directory for which `~` stands. */
  readonly home: string;
  readonly handles: OpenHandles;
  /** The connection, which takes the turns on files. */
  readonly owner: object;
}

/** Resolves links and dots; the last name need not exist. */
export async function resolve(name: Buffer): Promise<Buffer> {
  try {
    return await realpath(name, "buffer");
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
    const slash = name.lastIndexOf("/");
    const parent = await realpath(name.subarray(0, Math.max(1, slash)), "buffer");
    const last = name.subarray(slash + 1);
    return Buffer.concat(parent.equals(root) ? [root, last] : [parent, root, last]);
  }
}

/** Resolves a path in which `~` may stand for the home directory. */
export async function expand(fields: FieldReader, files: SftpFiles): Promise<Buffer> {
  const name = fields.text();
  const isAtHome = name === "~" || name.startsWith("~/");
  const expanded = isAtHome ? files.home + name.slice(1) : name;
  return resolve(absolute(Buffer.from(expanded), files));
}

const root = Buffer.from("/");

/** Reads a path; a relative one begins in the client's directory. */
export function path(fields: FieldReader, files: SftpFiles): Buffer {
  return absolute(fields.bytes(), files);
}

function absolute(name: Buffer, { directory }: SftpFiles): Buffer {
  if (name.includes(0)) throw new SftpError(SftpStatus.failure, "a path with a zero byte");
  return name.length > 0 && name[0] === root[0]
    ? Buffer.from(name)
    : Buffer.concat([Buffer.from(`${directory}/`), name]);
}
