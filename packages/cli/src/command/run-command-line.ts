import { readSettings } from "../config/settings.ts";
import type { CommandTable } from "./definition.ts";
import { UsageError } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";
import type { ProcessNeeds, Settings } from "./needs.ts";
import { parseCommandLine } from "./parse.ts";
import {
  accessPreparer,
  certificateFiles,
  headerSettings,
  prepareAgentAccess,
} from "./proxy-access.ts";

/**
 * Parses the words after the program's name and runs the command; resolves with the exit code. Reports errors on
 * stderr; a second interruption stops waiting for the command immediately.
 */
export async function runCommandLine(
  table: CommandTable,
  words: readonly string[],
  needs: ProcessNeeds,
): Promise<number> {
  const { terminal } = needs;
  let settings: Settings | undefined;
  try {
    const layout = { colors: terminal.out.colors, columns: terminal.out.columns };
    const parsed = await parseCommandLine(table, words, layout, needs.environment);
    if (parsed.kind === "help") {
      terminal.out.write(parsed.text);
      return exitCodes.ok;
    }
    using traces = new DisposableStack();
    if (parsed.debugHttp) traces.use(await openTrace(needs));
    const { globals } = parsed;
    const stored = await readSettings(globals, needs.environment).catch(asUsage);
    const prepareAccess = accessPreparer(globals, needs.environment, needs.signal);
    await prepareAgentAccess(globals, needs.environment);
    const headers = stored.url === undefined ? {} : await prepareAccess(stored.url);
    settings = {
      ...stored,
      headers,
      headerSettings: headerSettings(globals, needs.environment),
      prepareAccess,
      certificateFiles: certificateFiles(globals, needs.environment),
    };
    const person = parsed.forceTty ? { ...terminal, interactive: true } : terminal;
    return await parsed.command.run(parsed.options, { ...needs, settings, terminal: person });
  } catch (error) {
    return report(error, settings?.url, needs);
  }
}

async function openTrace({ terminal, clock }: ProcessNeeds): Promise<Disposable> {
  const { traceHttp } = await import("./http-trace.ts");
  return traceHttp(terminal.err, clock);
}

function asUsage(error: unknown): never {
  if (error instanceof RangeError)
    throw new UsageError(error.message, "set it with --url or CODER_URL");
  throw error;
}

async function report(
  error: unknown,
  url: string | undefined,
  { terminal, signal }: ProcessNeeds,
): Promise<number> {
  // Loaded only on errors: it imports the client.
  const { explain, printError } = await import("./explain.ts");
  // Whatever the error, an interrupted command ended because of the interruption.
  const explanation = explain(signal.aborted ? signal.reason : error, url);
  printError(terminal.err, explanation);
  return explanation.exitCode;
}
