import { getWorkspace, type Workspace, type WorkspaceBuild } from "@slipway/api";
import type { ApiClient } from "@slipway/sdk/http";

import { exitCodes } from "../../command/exit-codes.ts";
import { printJson } from "../../command/print-json.ts";
import type { Terminal } from "../../terminal/terminal.ts";

/** What became of a workspace: the result of a command that changes it. */
export interface Outcome {
  readonly workspace: Workspace;
  /** One line for people. */
  readonly text: string;
  /** How the line is set off: done, done with something to look at, or nothing to say about it. */
  readonly tone: "good" | "warning" | "plain";
  readonly exitCode: number;
}

/** The outcome of a workspace that has come to where it was to be. */
export function goodOutcome(workspace: Workspace, text: string): Outcome {
  return { workspace, text, tone: "good", exitCode: exitCodes.ok };
}

/** The outcome where nothing was to be done, or nobody waits for it. */
export function plainOutcome(workspace: Workspace, text: string): Outcome {
  return { workspace, text, tone: "plain", exitCode: exitCodes.ok };
}

/** The workspace as it is now; a deleted one as it was, with the build that deleted it. */
export async function presentWorkspace(
  workspace: Workspace,
  build: WorkspaceBuild,
  { client, signal }: { readonly client: ApiClient; readonly signal: AbortSignal },
): Promise<Workspace> {
  if (build.transition === "delete") return { ...workspace, latest_build: build };
  return client.call(getWorkspace, { params: { workspace: workspace.id }, signal });
}

/** Prints what became of a workspace: a line on stdout for people, as JSON the workspace. */
export function printOutcome(
  { out }: Pick<Terminal, "out">,
  outcome: Outcome,
  output: "text" | "json",
): void {
  if (output === "json") printJson(out, outcome.workspace);
  else out.line(outcomeText(outcome, out));
}

/** The line for people. */
export function outcomeText({ text, tone }: Outcome, { colors }: Terminal["out"]): string {
  switch (tone) {
    case "good":
      return colors.green(text);
    case "warning":
      return colors.yellow(text);
    case "plain":
      return text;
  }
}
