import { execFile } from "node:child_process";
import { join } from "node:path";

import type { StockProgram } from "./stock-program.ts";

/** The result of a stock command. */
export interface StockResult {
  readonly code: number;
  readonly out: string;
  /** Its complete output, without colors. */
  readonly text: string;
}

interface StockSurroundings {
  /** The directory with a separate home for each program. */
  readonly directory: string;
  readonly input: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** The timeout (default: one minute). */
  readonly timeoutMs?: number;
}

/** Runs a stock command until it exits. */
export function runStockCommand(
  program: StockProgram,
  args: readonly string[],
  { directory, input, environment = {}, timeoutMs = 60_000 }: StockSurroundings,
): Promise<StockResult> {
  const home = join(directory, `home-${program.name}`);
  return new Promise((resolve) => {
    const options = {
      timeout: timeoutMs,
      env: {
        HOME: home,
        PATH: "/usr/bin:/bin",
        CODER_CONFIG_DIR: join(home, "config"),
        CODER_NO_VERSION_WARNING: "true",
        CODER_NO_FEATURE_WARNING: "true",
        NO_COLOR: "1",
        ...environment,
      },
    };
    const child = execFile(program.path, [...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code ?? -1);
      // oxlint-disable-next-line no-control-regex -- colors begin with an escape
      const plain = (text: string): string => text.replaceAll(/\u001B\[[\d;]*m/g, "");
      resolve({ code, out: plain(stdout), text: plain(`${stdout}${stderr}`) });
    });
    // A command that reads no input may have exited already.
    child.stdin?.on("error", () => undefined).end(input);
  });
}
