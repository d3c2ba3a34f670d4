import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import { replaceFile } from "@slipway/runtime/replace-file";

import { type ClusterBridge, openBridge } from "./cluster-network.ts";
import { type ControlGroup, makeControlGroup } from "./control-group.ts";

/** The parts of this machine that one cluster uses. Its opener disposes of it, when the cluster's programs have ended. */
export interface ClusterGround extends AsyncDisposable {
  readonly directory: string;
  readonly group: ControlGroup;
  readonly network: ClusterBridge;
}

const directoryPrefix = "slipway-cluster-";
/** The file with the settings of the kernel to restore. */
const kernelFile = "kernel";

/** Settings of the kernel that a kubelet changes. */
const kernelSettings = [
  "vm/overcommit_memory",
  "vm/panic_on_oom",
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys/root_maxkeys",
  "kernel/keys/root_maxbytes",
];

/**
 * Removes everything of a cluster, when its input ends: the process that opened the cluster has closed it, or was killed.
 * Containers and mounts outlive the programs that made them; all processes are in the control group.
 */
const cleaner = `
directory=\${1:?} group=\${2:?} root=/sys/fs/cgroup
cat >/dev/null
for attempt in $(seq 100); do
  processes=$(find $root -path "*/$group/*" -name cgroup.procs -exec cat {} + | sort -u)
  [ -n "$processes" ] || break
  kill -KILL $processes
  sleep 0.1
done
while read -r device mount rest; do
  case $mount in "$directory"/*) echo "$mount" ;; esac
done </proc/self/mounts | sort -r | while read -r mount; do umount --lazy "$mount"; done
find $root -depth -type d \\( -path "*/$group" -o -path "*/$group/*" \\) -exec rmdir {} \\;
while read -r name value; do echo "$value" >"/proc/sys/$name"; done <"$directory/${kernelFile}"
if read -r bridge <"$directory/bridge"; then
  iptables --wait -D FORWARD -i "$bridge" -o "$bridge" -j ACCEPT
  ip link delete "$bridge"
fi
rm -rf "$directory"
`;

export async function openGround(): Promise<ClusterGround> {
  const settings = (await settingsOfOther()) ?? (await readKernelSettings());
  const directory = await mkdtemp(join(tmpdir(), directoryPrefix));
  const name = basename(directory);
  await replaceFile(join(directory, kernelFile), settings, { mode: 0o600 });
  const cleaning = spawn("sh", ["-c", cleaner, "slipway-cleaner", directory, name], {
    // It gets no signal of the terminal.
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  const cleaned = once(cleaning, "exit");
  const close = async (): Promise<void> => {
    cleaning.stdin.end();
    await cleaned;
  };
  try {
    const group = await makeControlGroup(name);
    const network = await openBridge(async (bridge) =>
      writeFile(join(directory, "bridge"), `${bridge}\n`),
    );
    return { directory, group, network, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Returns the settings that another cluster of this machine will restore: its kubelet may have changed them by now. */
async function settingsOfOther(): Promise<string | undefined> {
  const names = await readdir(tmpdir());
  for (const name of names.filter((one) => one.startsWith(directoryPrefix))) {
    const path = join(tmpdir(), name, kernelFile);
    const settings = await readFile(path, "utf8").catch(() => undefined);
    if (settings !== undefined) return settings;
  }
  return undefined;
}

async function readKernelSettings(): Promise<string> {
  const read = kernelSettings.map(async (name) => {
    const value = await readFile(`/proc/sys/${name}`, "utf8").catch(() => undefined);
    return value === undefined ? "" : `${name} ${value.trim()}\n`;
  });
  return (await Promise.all(read)).join("");
}
