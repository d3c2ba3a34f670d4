import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../../..", import.meta.url));

/** Bundles the agent if its sources have changed; resolves to the path of the bundle. */
export async function buildAgent(): Promise<string> {
  await promisify(execFile)(process.execPath, ["tools/build-agent.ts"], { cwd: root });
  return join(root, "packages/agent/dist/agent.js");
}
