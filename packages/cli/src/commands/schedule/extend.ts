import { extendWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { durationText } from "@slipway/runtime";
import { ApiError } from "@slipway/sdk/http";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { readDuration } from "../../command/duration.ts";
import { CommandError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { reportChange } from "../../resources/workspaces/outcome.ts";
import {
  findWorkspace,
  fullName,
  workspaceArgument,
} from "../../resources/workspaces/workspace-reference.ts";
import { clockTime } from "../../terminal/relative-time.ts";

export const command = defineCommand({
  summary: "change when a running workspace stops",
  aliases: ["override-stop"],
  arguments: {
    workspace: workspaceArgument,
    duration: { summary: "time from now until it stops, such as 2h or 1h30m", required: true },
  },
  flags: { output: outputFlag },
  examples: [{ line: "slipway schedule extend demo 2h", summary: "stop demo two hours from now" }],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const lengthMs = readDuration("duration", options.duration);
  const client = connect(settings);
  const workspace = await findWorkspace(client, options.workspace, signal);
  const deadline = new Date(clock.now() + lengthMs).toISOString();
  const params = { workspace: workspace.id };
  try {
    await client
      .call(extendWorkspace, { params, body: { deadline }, signal })
      .catch(unlessUnchanged);
  } catch (error) {
    throw withoutDeadline(error, workspace);
  }
  const text = `${fullName(workspace)} stops in ${durationText(lengthMs)}: ${clockTime(Date.parse(deadline))}`;
  await reportChange({ client, terminal, signal }, workspace, options.output, text);
  return exitCodes.ok;
}

/** Ignores a 304: the workspace already stops then. */
function unlessUnchanged(error: unknown): void {
  if (!(error instanceof ApiError && error.status === 304)) throw error;
}

/** Returns the error with its remedy if the workspace runs until it is stopped manually. */
function withoutDeadline(error: unknown, workspace: Workspace): unknown {
  const build = workspace.latest_build;
  const isManual = build.transition === "start" && build.deadline === null;
  if (!(error instanceof ApiError && error.status === 409 && isManual)) return error;
  const name = fullName(workspace);
  const text = `${name} does not stop by itself, so there is nothing to extend`;
  const hint = `let it stop 8h after each start with: slipway schedule stop ${name} 8h, then: slipway restart ${name}`;
  return new CommandError(text, { hint });
}
