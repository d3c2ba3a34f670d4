import { getAppearance, updateAppearance } from "@slipway/api/deployment/routes";

import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { UsageError } from "../command/errors.ts";
import { exitCodes } from "../command/exit-codes.ts";
import { outputFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";
import { printJson } from "../command/print-result.ts";

export const command = defineCommand({
  summary: "set the banners that sessions in workspaces begin with",
  description:
    "Set the banners that interactive sessions in all workspaces begin with, such as a notice of maintenance, or print " +
    "the present ones. New sessions show a change at once; those of stock agents within two minutes. Only owners can set banners.",
  arguments: {
    messages: {
      summary: "text of each banner, in the place of the present ones (default: print those)",
      required: false,
      variadic: true,
    },
  },
  flags: {
    background: {
      kind: "text",
      value: "color",
      summary: "background color in dashboards, such as #ff8800",
    },
    clear: { kind: "switch", summary: "remove all banners" },
    output: outputFlag,
  },
  examples: [
    { line: 'slipway announce "Maintenance on Friday at 18:00 UTC"', summary: "one banner" },
    { line: "slipway announce", summary: "print the banners" },
    { line: "slipway announce --clear", summary: "none" },
  ],
});

export async function run(
  { messages, background, clear, output }: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  if (clear && messages.length > 0) throw new UsageError("pass either messages or --clear");
  const client = connect(settings);
  const color = background === undefined ? {} : { background_color: background };
  const announcement_banners = messages.map((message) => ({ enabled: true, message, ...color }));
  const isChange = clear || messages.length > 0;
  const found = isChange
    ? await client.call(updateAppearance, { body: { announcement_banners }, signal })
    : await client.call(getAppearance, { signal });
  const banners = found.announcement_banners;
  const { out, err } = terminal;
  if (output === "json") printJson(out, banners);
  else if (banners.length === 0) err.line("no banners");
  else for (const { message = "" } of banners.filter(({ enabled }) => enabled)) out.line(message);
  return exitCodes.ok;
}
