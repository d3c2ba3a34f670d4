import type { WorkspaceBuild } from "@slipway/api/builds/build";
import { getWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";

import { exitCodes } from "../../command/exit-codes.ts";
import type { ClientNeeds, Needs } from "../../command/needs.ts";
import { readPatiently } from "../../command/patient-read.ts";
import { printJson } from "../../command/print-result.ts";
import type { Terminal } from "../../terminal/terminal.ts";

/** The result of a command that changes a workspace. */
export interface Outcome {
  readonly workspace: Workspace;
  /** One line for people. */
  readonly text: string;
  /** The style of the line: success, success with a warning, or plain. */
  readonly tone: "good" | "warning" | "plain";
  readonly exitCode: number;
}

/** Returns the outcome of a workspace that reached the requested state. */
export function goodOutcome(workspace: Workspace, text: string): Outcome {
  return { workspace, text, tone: "good", exitCode: exitCodes.ok };
}

/** Returns the outcome of a command that had nothing to do, or does not wait. */
export function plainOutcome(workspace: Workspace, text: string): Outcome {
  return { workspace, text, tone: "plain", exitCode: exitCodes.ok };
}

/** Returns the current workspace; a deleted one in its last state, with the build that deleted it. */
export async function presentWorkspace(
  workspace: Workspace,
  build: WorkspaceBuild,
  needs: ClientNeeds,
): Promise<Workspace> {
  if (build.transition === "delete") return { ...workspace, latest_build: build };
  const { client, signal } = needs;
  const params = { workspace: workspace.id };
  return readPatiently(() => client.call(getWorkspace, { params, signal }), needs);
}

/** Prints an outcome on stdout: a line of text, or the workspace as JSON. */
export function printOutcome(
  { out }: Pick<Terminal, "out">,
  outcome: Outcome,
  output: "text" | "json",
): void {
  if (output === "json") printJson(out, outcome.workspace);
  else out.line(outcomeText(outcome, out));
}

/** Returns the line of text, styled. */
function outcomeText({ text, tone }: Outcome, { colors }: Terminal["out"]): string {
  switch (tone) {
    case "good":
      return colors.green(text);
    case "warning":
      return colors.yellow(text);
    case "plain":
      return text;
  }
}

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
      // A single workspace fails like any other command.
      if (references.length === 1) throw error;
      const { explain, printError } = await import("../../command/explain.ts");
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

/** Returns the text of a failure with its workspace, which some texts already name. */
function namedText(reference: string, text: string): string {
  return text.startsWith(`workspace ${reference} `) ? text : `${reference}: ${text}`;
}

/** Reports a change of a workspace: as a line of text, or as JSON of the current workspace. */
export async function reportChange(
  { client, terminal, signal }: Pick<ClientNeeds, "client" | "terminal" | "signal">,
  { id }: { readonly id: string },
  output: "text" | "json",
  text: string,
): Promise<void> {
  if (output === "text") terminal.err.line(text);
  else
    printJson(terminal.out, await client.call(getWorkspace, { params: { workspace: id }, signal }));
}
