import { root } from "./parts.ts";
import { runProgram } from "./run-program.ts";
import type { Report } from "./tree.ts";

export interface ToolNeeds {
  /** Prints a progress line on stderr. */
  readonly report: Report;
  /** Aborts when the tool is stopped. */
  readonly signal: AbortSignal;
}

/** Runs a tool until it ends or is stopped; reports why it fails. */
export async function runTool(work: (needs: ToolNeeds) => Promise<void>): Promise<void> {
  const stopping = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => stopping.abort(new Error(`stopped by ${name}`)));
  }
  const { signal } = stopping;
  try {
    await work({ report: (line) => void process.stderr.write(`${line}\n`), signal });
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

/** Brings the bundles of the agent and the command, and the dashboard, up to date. */
export async function updateBundles(signal: AbortSignal): Promise<void> {
  for (const tool of ["tools/build-agent.ts", "tools/build-web.ts"]) {
    await runProgram([process.execPath, tool], { cwd: root, signal });
  }
}

/** Returns the value of an option if it is a key of the table; throws otherwise. */
export function knownName<Name extends string>(
  option: string,
  found: string,
  table: Readonly<Record<Name, unknown>>,
): Name {
  if (isNameIn(found, table)) return found;
  throw new Error(`--${option} is ${found}, wanted ${Object.keys(table).join(" or ")}`);
}

function isNameIn<Name extends string>(
  found: string,
  table: Readonly<Record<Name, unknown>>,
): found is Name {
  return Object.hasOwn(table, found);
}
