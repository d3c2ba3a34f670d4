import { posix } from "node:path";

import { type NewFile, type PathOwner, readOwner, writeContainerFiles } from "./container-files.ts";
import type { Engine } from "./engine.ts";
import type { ContainerUser, UserAccount } from "./user-files.ts";

const filesOwner = { uid: 0, gid: 0, mode: 0o644 };

/**
 * Gives a container that has not started its user: adds the entry in `/etc/passwd` that the image lacks, creates the
 * home, and hands over what the engine created as root: the tops of new volumes, and the directories between the home
 * and a volume in it. `volumePaths` are the paths of the volumes that the container may write.
 */
export async function prepareUser(
  engine: Engine,
  id: string,
  { account, files }: ContainerUser,
  volumePaths: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const isNew = files !== undefined;
  if (!isNew && (account.uid === 0 || volumePaths.length === 0)) return;
  const { home } = account;
  const owners = new Map<string, PathOwner | undefined>();
  for (const path of [home, ...volumePaths, ...volumePaths.flatMap((one) => between(home, one))]) {
    if (!owners.has(path)) owners.set(path, await readOwner(engine, id, path, signal));
  }
  const isHomeTheirs = isNew || volumePaths.includes(home) || owners.get(home)?.uid === account.uid;
  const handed = [...owners].flatMap(([path, owner]) => {
    if (path === home && owner === undefined && isNew) return [directory(path, 0o755, account)];
    const isTheirs = volumePaths.includes(path) || (isHomeTheirs && isInside(path, home));
    const isRoots = owner?.isDirectory === true && owner.uid === 0 && account.uid !== 0;
    return isTheirs && isRoots && path !== "/" ? [directory(path, owner.mode, account)] : [];
  });
  const entries: NewFile[] = isNew
    ? [
        { path: "etc/passwd", content: files.passwd, owner: filesOwner },
        { path: "etc/group", content: files.group, owner: filesOwner },
      ]
    : [];
  // A directory comes before what is in it.
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
