import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../../..", import.meta.url));

/** The processor of this machine in the words of templates. */
export const ownArch = process.arch === "arm64" ? "arm64" : "amd64";

let made: Promise<{ readonly path: string; readonly hash: string }> | undefined;

/** Makes the agent's archive for this machine if its parts have changed, as `npm run build:archive` does. */
export function buildArchive(): Promise<{ readonly path: string; readonly hash: string }> {
  made ??= run();
  return made;
}

async function run(): Promise<{ readonly path: string; readonly hash: string }> {
  const args = ["tools/build-archive.ts", "--architecture", ownArch, "--compression", "tar.gz"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  const path = stdout.trim();
  return { path, hash: (await readFile(`${path}.inputs`, "utf8")).trim() };
}
