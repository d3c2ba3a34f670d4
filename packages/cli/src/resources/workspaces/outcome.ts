import type { WorkspaceBuild } from "@slipway/api/builds/build";
import { getWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";

import type { ClientNeeds } from "../../command/client-needs.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { readPatiently } from "../../command/patient-read.ts";
import { printJson } from "../../command/print-json.ts";
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

/** Returns the outcome of a workspace that reached the wanted state. */
export function goodOutcome(workspace: Workspace, text: string): Outcome {
  return { workspace, text, tone: "good", exitCode: exitCodes.ok };
}

/** Returns the outcome of a command that had nothing to do, or does not wait. */
export function plainOutcome(workspace: Workspace, text: string): Outcome {
  return { workspace, text, tone: "plain", exitCode: exitCodes.ok };
}

/** Returns the current workspace; a deleted one as it was, with the build that deleted it. */
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
