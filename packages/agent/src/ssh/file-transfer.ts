import { basename } from "node:path";

/** Commands that transfer files (docs/protocol/agent.md §6.8). */
const transfers = new Set(["nc", "rsync", "scp", "sftp"]);

/** Reports whether a command is one that transfers files. */
export function isFileTransfer(text: string): boolean {
  const [first = ""] = text.trim().split(/\s/, 1);
  return transfers.has(basename(first));
}
