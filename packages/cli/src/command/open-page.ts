import type { Needs } from "./needs.ts";
import { readOpenableUrl } from "./url-opener.ts";

/** Opens a page in the browser, if it is one and there is one; its address was already printed. */
export async function openPage(
  url: string,
  { opener, terminal, signal }: Pick<Needs, "opener" | "terminal" | "signal">,
): Promise<void> {
  const page = readOpenableUrl(url);
  if (opener.obstacle !== undefined || page?.kind !== "page") return;
  await opener.open(page, signal).catch((error: unknown) => {
    if (signal.aborted) throw error;
    terminal.err.line("no browser was opened");
  });
}
