import { limitDefinitions, type LimitName, limitVariable, mapLimits } from "@slipway/server/limits";
import {
  mapSettings,
  settingDefinitions,
  type SettingName,
  variableOf,
} from "@slipway/server/setting-definitions";

import { defineCommand, type OptionsOf, variablesOf } from "../command/definition.ts";
import type { SwitchFlag, TextFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";
import { packageDirectory } from "../config/own-package.ts";
import { findInstallation } from "./server/installation.ts";
import { limitHeap } from "./server/limit-heap.ts";
import { loadServer } from "./server/load-server.ts";

export const command = defineCommand({
  summary: "run a server",
  description:
    "Run a server until it is interrupted. The first interrupt shuts it down gracefully, the second one " +
    "immediately. Without --postgres-url, it runs the built-in PostgreSQL.",
  arguments: {},
  flags: {
    ...mapSettings(settingFlag),
    ...mapLimits(limitFlag),
    demo: { kind: "switch", summary: "create a demo template and workspace, as npm start does" },
  },
  examples: [
    { line: "slipway server --demo", summary: "try it out" },
    {
      line: "slipway server --http-address 0.0.0.0:80 --access-url https://slipway.example.com",
      summary: "serve other machines",
    },
  ],
});

/** Returns the flag of a setting, from the server's own table. */
function settingFlag(name: SettingName): (TextFlag | SwitchFlag) & { readonly variable: string } {
  const { value, summary: text, fallback } = settingDefinitions[name];
  const summary = fallback === undefined ? text : `${text} (default: ${fallback})`;
  const about = { variable: variableOf(name), summary };
  return value === undefined ? { kind: "switch", ...about } : { kind: "text", value, ...about };
}

/** Returns the flag of a limit, from the server's own table. */
function limitFlag(name: LimitName): TextFlag & { readonly variable: string } {
  const { summary, default: fallback, mayBeUnlimited } = limitDefinitions[name];
  return {
    kind: "text",
    value: "number",
    variable: limitVariable(name),
    summary: `${summary}${mayBeUnlimited ? ', or "unlimited"' : ""} (default: ${fallback})`,
  };
}

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, environment, interruption }: Pick<Needs, "terminal" | "environment" | "interruption">,
): Promise<number> {
  const { runServer } = await loadServer();
  // Not before its modules are loaded: V8 accepts the compiled form of Node.js's own modules only with its usual
  // flags.
  limitHeap();
  return runServer({
    ...interruption,
    ...findInstallation(packageDirectory),
    flags: variablesOf(command, options),
    environment,
    demo: options.demo,
    stdout: (text) => terminal.out.write(text),
    stderr: (text) => terminal.err.write(text),
  });
}
