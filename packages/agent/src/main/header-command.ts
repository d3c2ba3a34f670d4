import { execFile } from "node:child_process";
import { promisify } from "node:util";

import type { AgentConfig, Variables } from "../config/agent-config.ts";
import { AgentConfigError } from "../config/errors.ts";
import { parseHeader } from "../config/headers.ts";

const execute = promisify(execFile);
const maxOutputBytes = 64 * 1024;

/**
 * Returns the headers of the settings and those that the header command prints, one `key=value` a line. Rejects with
 * `AgentConfigError`.
 */
export async function allHeaders(
  config: Pick<AgentConfig, "serverUrl" | "headers"> & { readonly headerCommand: string },
  environment: Variables,
): Promise<Readonly<Record<string, string>>> {
  const env = { ...environment, CODER_URL: config.serverUrl };
  const options = { env, maxBuffer: maxOutputBytes };
  const { stdout } = await execute("sh", ["-c", config.headerCommand], options).catch(
    (error: unknown) => {
      throw new AgentConfigError([
        `the header command failed with ${codeOf(error)}: ${config.headerCommand}`,
      ]);
    },
  );
  const headers = { ...config.headers };
  for (const [index, line] of stdout.split(/\r?\n/).entries()) {
    if (line === "") continue;
    const header = parseHeader(line);
    if (header === undefined) {
      throw new AgentConfigError([
        `line ${index + 1} of the header command's output is no key=value`,
      ]);
    }
    const [name, value] = header;
    headers[name] = value;
  }
  return headers;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? `code ${String(error.code)}` : "an error";
}
