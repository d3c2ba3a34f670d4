import type { Workspace } from "@slipway/api/workspaces/workspace";

import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { printError } from "../../command/print-error.ts";
import { printJson } from "../../command/print-json.ts";
import { type Outcome, outcomeText } from "./outcome.ts";

interface WorkspacesOptions {
  readonly workspaces: readonly string[];
  readonly output: "text" | "json";
}

/**
 * Runs an action on each workspace in order; a failure does not stop the others. Prints a line for each on stdout, or
 * as JSON one list of the workspaces that did not fail. Resolves with the exit code: that of the failures if they share
 * one, otherwise that of a failure.
 */
export async function eachWorkspace(
  { workspaces, output }: WorkspacesOptions,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
  act: (reference: string) => Promise<Outcome>,
): Promise<number> {
  const references = [...new Set(workspaces)];
  const codes = new Set<number>();
  const done: Workspace[] = [];
  for (const reference of references) {
    try {
      const outcome = await act(reference);
      codes.add(outcome.exitCode);
      done.push(outcome.workspace);
      if (output === "text") terminal.out.line(outcomeText(outcome, terminal.out));
    } catch (error) {
      signal.throwIfAborted();
      // A single workspace fails as any command does.
      if (references.length === 1) throw error;
      const { explain } = await import("../../command/explain.ts");
      const { exitCode, text, hint } = explain(error, settings.url);
      printError(terminal.err, { text: namedText(reference, text ?? "failed"), hint });
      codes.add(exitCode);
    }
  }
  if (output === "json") printJson(terminal.out, done);
  codes.delete(exitCodes.ok);
  const [code = exitCodes.ok, ...others] = codes;
  return others.length === 0 ? code : exitCodes.failure;
}

/** Returns the text of a failure with the workspace that it is about, which some name themselves. */
function namedText(reference: string, text: string): string {
  return text.startsWith(`workspace ${reference} `) ? text : `${reference}: ${text}`;
}
