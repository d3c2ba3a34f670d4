import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { homeDirectory } from "@slipway/runtime/home-directory";

/** The names of keys that ssh tries by itself (docs/protocol/agent.md §9.2). */
const usualNames = [
  "id_rsa",
  "id_dsa",
  "id_ecdsa",
  "id_ecdsa_sk",
  "id_ed25519",
  "id_ed25519_sk",
  "id_xmss",
];

/** Lists the existing key files that ssh would use for these arguments: one that is named by `-i` hides them. */
export async function userKeys(
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const home = homeDirectory(environment);
  const configured = await configuredKeys(words, environment, signal);
  const paths = configured ?? usualNames.map((name) => join("~/.ssh", name));
  const files = paths.map((path) => path.replace(/^~(?=\/)/, home));
  const found = await Promise.all(
    files.map((file) =>
      access(file).then(
        () => [file],
        () => [],
      ),
    ),
  );
  return found.flat();
}

/** Returns the key files of the user's configuration; undefined where ssh does not tell. */
async function configuredKeys(
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  try {
    const options = { env: environment, signal, maxBuffer: maxConfigBytes };
    const { stdout } = await promisify(execFile)("ssh", ["-G", ...words], options);
    return stdout.split("\n").flatMap((line) => /^identityfile (.+)$/.exec(line)?.[1] ?? []);
  } catch (error) {
    if (signal.aborted) throw error;
    // An old ssh without -G, or arguments that it does not like: it says so itself when it runs.
    return undefined;
  }
}

/** The largest configuration that is read. */
const maxConfigBytes = 1024 * 1024;
