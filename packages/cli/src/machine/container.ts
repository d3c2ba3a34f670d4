import { join } from "node:path";

import { exists, readText } from "./files.ts";

/** Names that container runtimes give to the control group of a container's first process. */
const containerGroup = /docker|\.slice|lxc|kubepods/;

/** Files that exist only inside containers. */
const signs = [
  "var/run/secrets/kubernetes.io/serviceaccount/token",
  // The group at the top of a whole machine has no type.
  "sys/fs/cgroup/cgroup.type",
] as const;

/** Returns whether the processes here share the machine with others (docs/protocol/agent.md §9.5). */
export async function isContainer(root: string): Promise<boolean> {
  if (containerGroup.test((await readText(join(root, "proc/1/cgroup"))) ?? "")) return true;
  if (/ sysboxfs /.test((await readText(join(root, "proc/mounts"))) ?? "")) return true;
  const found = await Promise.all(signs.map((path) => exists(join(root, path))));
  return found.includes(true);
}
