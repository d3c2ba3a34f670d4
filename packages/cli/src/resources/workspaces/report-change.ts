import { getWorkspace } from "@slipway/api";
import type { ApiClient } from "@slipway/sdk/http";

import { printJson } from "../../command/print-json.ts";
import type { Terminal } from "../../terminal/terminal.ts";

interface Changed {
  readonly client: ApiClient;
  readonly terminal: Pick<Terminal, "out" | "err">;
  readonly signal: AbortSignal;
}

/** Reports a change of a workspace: as a line of text, or as JSON of the current workspace. */
export async function reportChange(
  { client, terminal, signal }: Changed,
  { id }: { readonly id: string },
  output: "text" | "json",
  text: string,
): Promise<void> {
  if (output === "text") terminal.err.line(text);
  else
    printJson(terminal.out, await client.call(getWorkspace, { params: { workspace: id }, signal }));
}
