import { suggest } from "@slipway/template";

import type { SettingSource } from "./setting-source.ts";

/** Settings with a record of which were read. */
export interface RecordedSource {
  readonly source: SettingSource;
  readonly asked: ReadonlySet<string>;
}

const prefix = "SLIPWAY_";

/** Variables that other programs of this name read, among them the command in the same shell. */
const othersVariables: ReadonlySet<string> = new Set([
  "SLIPWAY_CACHE_DIR",
  "SLIPWAY_CONFIG_DIR",
  "SLIPWAY_DOWNLOAD_TRIES",
  "SLIPWAY_PREFIX",
  "SLIPWAY_SESSION_TOKEN",
  "SLIPWAY_URL",
]);

/** Variables that Kubernetes sets for a service called `slipway`, and those of the tests' environment. */
const othersForm = /^SLIPWAY_(SERVICE_|PORT($|_)|TEST_|SHARED$|CHROMIUM$)/;

/** Records which values are read. A reader that scans all variables looks at their names first. */
export function recordReads(source: SettingSource): RecordedSource {
  const asked = new Set<string>();
  return {
    asked,
    source: new Proxy(source, {
      get(target, name) {
        if (typeof name !== "string") return undefined;
        asked.add(name);
        return target[name];
      },
    }),
  };
}

/** Lists our variables that nothing has read, with the one that was probably meant. Call it when all were read. */
export function unknownVariables({ source, asked }: RecordedSource): readonly string[] {
  const known = [...asked].filter((name) => name.startsWith(prefix));
  return Object.keys(source)
    .filter((name) => name.startsWith(prefix) && !asked.has(name))
    .filter((name) => !othersVariables.has(name) && !othersForm.test(name))
    .toSorted()
    .map((name) => {
      const meant = suggest(name, known);
      return `unknown variable ${name}${meant === undefined ? "" : `; did you mean ${meant}?`}`;
    });
}
