import { access } from "node:fs/promises";
import { join } from "node:path";

import { printableText } from "@slipway/runtime";

import { readFileStart } from "../../process/read-file-start.ts";

/** The maximum size of the message of the day. */
const maxMotdBytes = 256 * 1024;

export interface GreetingSource {
  /** The texts of the enabled announcements. */
  readonly banners: readonly string[];
  /** The file with the message of the day; empty for none. */
  readonly motdPath: string;
  readonly home: string;
}

/**
 * Resolves to the greeting of a shell on a terminal (docs/protocol/agent.md §6.5): the announcements, and the message of the
 * day unless `~/.hushlogin` exists. Omits what cannot be read. The announcements come from the server and cannot move the
 * cursor; the message of the day is the workspace's own.
 */
export async function readGreeting({ banners, motdPath, home }: GreetingSource): Promise<string> {
  const announcements = banners
    .map((banner) => printableText(banner.trim(), { colors: false }))
    .filter((banner) => banner !== "")
    .map((banner) => `${banner}\n\n`);
  const motd =
    motdPath === "" || (await exists(join(home, ".hushlogin"))) ? "" : await read(motdPath);
  const text = announcements.join("") + motd;
  if (text === "") return "";
  return text.replaceAll("\r\n", "\n").replaceAll("\n", "\r\n");
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

async function read(path: string): Promise<string> {
  try {
    return String((await readFileStart(path, maxMotdBytes)) ?? "");
  } catch {
    // A shell does not fail for a missing file.
    return "";
  }
}
