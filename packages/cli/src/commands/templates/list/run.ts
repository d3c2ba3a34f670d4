import { listTemplates } from "@slipway/api";

import { connect } from "../../../command/connect.ts";
import type { OptionsOf } from "../../../command/definition.ts";
import { exitCodes } from "../../../command/exit-codes.ts";
import type { Needs } from "../../../command/needs.ts";
import { printJson } from "../../../command/print-json.ts";
import { relativeTime } from "../../../terminal/relative-time.ts";
import { renderTable } from "../../../terminal/table.ts";
import type { command } from "./command.ts";

export async function run(
  { output }: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const templates = await connect(settings).call(listTemplates, { signal });
  if (output === "json") {
    printJson(terminal.out, templates);
    return exitCodes.ok;
  }
  if (templates.length === 0) {
    terminal.err.line(
      "no templates; make one with: slipway templates init, then slipway templates push",
    );
    return exitCodes.ok;
  }
  const now = clock.now();
  const rows = templates.map(
    ({ name, display_name, description, active_user_count, updated_at }) => [
      name,
      display_name || "-",
      active_user_count < 0 ? "-" : String(active_user_count),
      relativeTime(Date.parse(updated_at), now),
      description,
    ],
  );
  const headings = ["NAME", "TITLE", "USERS", "UPDATED", "DESCRIPTION"];
  for (const line of renderTable(headings, rows, terminal.out.colors)) terminal.out.line(line);
  return exitCodes.ok;
}
