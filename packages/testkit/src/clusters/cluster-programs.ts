import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { buildGoProgram } from "../go-program.ts";

const module = fileURLToPath(new URL("../../cluster-go", import.meta.url));

/** The programs, which are one file that looks at its name. */
const names = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kubectl",
] as const;

/** Returns the directory with the programs of a cluster, which are built once for each set of modules. */
export function buildClusterPrograms(): Promise<string> {
  return buildGoProgram({
    name: "cluster",
    module,
    target: ".",
    complete: async (directory) => {
      for (const name of names) await symlink("cluster", join(directory, name));
    },
  });
}
