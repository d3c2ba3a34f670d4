import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The control group of one cluster, below which are its programs and its pods. */
export interface ControlGroup {
  /** Its path below the root, for the kubelet. */
  readonly path: string;
  /** The file to which the id of a process is written that belongs to the cluster's programs. */
  readonly programs: string;
}

const root = "/sys/fs/cgroup";

/** Makes a control group in each hierarchy of this machine, as a kubelet wants them. */
export async function makeControlGroup(name: string): Promise<ControlGroup> {
  const controllers = await readFile(join(root, "cgroup.controllers"), "utf8").catch(() => "");
  const isUnified = controllers !== "";
  const hierarchies = isUnified ? [root] : await listHierarchies();
  for (const hierarchy of hierarchies) await mkdir(join(hierarchy, name));
  if (isUnified) {
    for (const group of [root, join(root, name)]) {
      for (const controller of controllers.trim().split(" ")) {
        // One that the machine keeps to itself is none that a kubelet needs.
        await writeFile(join(group, "cgroup.subtree_control"), `+${controller}`).catch(
          () => undefined,
        );
      }
    }
  }
  const tracking = isUnified ? root : join(root, "pids");
  const programs = join(tracking, name, "programs");
  await mkdir(programs);
  return { path: `/${name}`, programs: join(programs, "cgroup.procs") };
}

/** Lists the hierarchies of the first version, without the links between them. */
async function listHierarchies(): Promise<readonly string[]> {
  const entries = await readdir(root, { withFileTypes: true });
  const directories = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const paths = directories.map((name) => join(root, name));
  const found = await Promise.all(paths.map((path) => isHierarchy(path)));
  return paths.filter((_path, index) => found[index]);
}

async function isHierarchy(path: string): Promise<boolean> {
  return stat(join(path, "cgroup.procs")).then(
    () => true,
    () => false,
  );
}
