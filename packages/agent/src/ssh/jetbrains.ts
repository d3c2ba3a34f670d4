import { findListeners, findOwners, readOfProcess } from "../process/listeners.ts";

/** Parts of the command lines of the servers of JetBrains' editors, in lower case (docs/protocol/agent.md §6.6). */
const marks = ["idea.vendor.name=jetbrains", "com.jetbrains.toolbox", "remote-dev-server"];

/** Reports whether an editor of JetBrains listens on the port; false where there is no `/proc`. */
export async function isJetBrainsPort(port: number): Promise<boolean> {
  const listeners = await findListeners();
  const inode = listeners.find((listener) => listener.port === port)?.inode;
  if (inode === undefined) return false;
  const pid = (await findOwners(new Set([inode]))).get(inode);
  if (pid === undefined) return false;
  const commandLine = (await readOfProcess(pid, "cmdline")).toLowerCase();
  return marks.some((mark) => commandLine.includes(mark));
}
