import { posix } from "node:path";

import { type NewFile, type PathOwner, readOwner, writeContainerFiles } from "./container-files.ts";
import type { Engine } from "./engine.ts";
import { findUser, type UserAccount, type UserFiles } from "./user-files.ts";

export interface UserInput {
  /** The user of the template, or the image's; empty for root. */
  readonly user: string;
  readonly files: UserFiles;
  /** The paths of the volumes that the container may write. */
  readonly volumePaths: readonly string[];
}

const filesOwner = { uid: 0, gid: 0, mode: 0o644 };

/**
 * Gives a container that has not started its user: adds the entry in `/etc/passwd` that the image lacks, creates the
 * home, and hands over what the engine created as root: the tops of new volumes, and the directories between the home
 * and a volume in it. A new user gets the uid that owns the home, so that files in a volume keep their owner.
 */
export async function prepareUser(
  engine: Engine,
  id: string,
  { user, files, volumePaths }: UserInput,
  signal: AbortSignal,
): Promise<void> {
  const draft = findUser(user, files, undefined);
  const isNew = draft.files !== undefined;
  if (!isNew && (draft.account.uid === 0 || volumePaths.length === 0)) return;
  const { home } = draft.account;
  const owners = new Map<string, PathOwner | undefined>();
  for (const path of [home, ...volumePaths, ...volumePaths.flatMap((one) => between(home, one))]) {
    if (!owners.has(path)) owners.set(path, await readOwner(engine, id, path, signal));
  }
  const { account, files: written } = findUser(user, files, owners.get(home)?.uid);
  const isHomeTheirs = isNew || volumePaths.includes(home) || owners.get(home)?.uid === account.uid;
  const handed = [...owners].flatMap(([path, owner]) => {
    if (path === home && owner === undefined && isNew) return [directory(path, 0o755, account)];
    const isTheirs = volumePaths.includes(path) || (isHomeTheirs && isInside(path, home));
    const isRoots = owner?.isDirectory === true && owner.uid === 0 && account.uid !== 0;
    return isTheirs && isRoots && path !== "/" ? [directory(path, owner.mode, account)] : [];
  });
  const entries: NewFile[] =
    written === undefined
      ? []
      : [
          { path: "etc/passwd", content: written.passwd, owner: filesOwner },
          { path: "etc/group", content: written.group, owner: filesOwner },
        ];
  // The parent first, whose entry must not follow what is in it.
  const sorted = handed.toSorted((a, b) => a.path.length - b.path.length);
  if (entries.length + sorted.length === 0) return;
  await writeContainerFiles(engine, id, [...entries, ...sorted], signal);
}

function directory(path: string, mode: number, { uid, gid }: UserAccount): NewFile {
  return { path: `${path.slice(1)}/`, content: "", owner: { uid, gid, mode } };
}

/** Returns the directories between the home and a path in it. */
function between(home: string, path: string): readonly string[] {
  const found: string[] = [];
  for (let at = posix.dirname(path); isInside(at, home) && at !== home; at = posix.dirname(at)) {
    found.push(at);
  }
  return found;
}

function isInside(path: string, directoryPath: string): boolean {
  return path === directoryPath || (directoryPath !== "/" && path.startsWith(`${directoryPath}/`));
}
