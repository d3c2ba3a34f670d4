import { getWorkspace } from "@slipway/api/workspaces/routes";

import type { ClientNeeds } from "../../command/client-needs.ts";
import { printJson } from "../../command/print-json.ts";

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
