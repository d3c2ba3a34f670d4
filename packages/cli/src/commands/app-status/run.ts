import { updateAgentAppStatus } from "@slipway/api";

import type { OptionsOf } from "../../command/definition.ts";
import { UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { connectAsAgent } from "../../resources/inside/agent-client.ts";
import type { command } from "./command.ts";

const states: readonly string[] = ["working", "idle", "complete", "failure"];

export async function run(
  options: OptionsOf<typeof command>,
  needs: Pick<Needs, "environment" | "clock" | "signal">,
): Promise<number> {
  const { state, message = "", app, uri = "" } = options;
  if (!states.includes(state)) {
    throw new UsageError(`the state must be one of ${states.join(", ")}, found "${state}"`);
  }
  if (app === undefined) {
    throw new UsageError("missing the app: pass --app with its slug, as slipway show prints it");
  }
  const client = await connectAsAgent(options, needs);
  const body = { app_slug: app, state, message, uri };
  await client.call(updateAgentAppStatus, { body, signal: needs.signal });
  return exitCodes.ok;
}
