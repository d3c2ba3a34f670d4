import { readFileSync } from "node:fs";

import { systemErrorCode } from "@slipway/runtime";

import type { Report, SettingSource } from "./setting-source.ts";

/** The secrets that may be in files: `SLIPWAY_SECRET_KEY_FILE` is the path of the file with `SLIPWAY_SECRET_KEY`. */
const names = [
  "SLIPWAY_ADMIN_PASSWORD",
  "SLIPWAY_SECRET_KEY",
  "SLIPWAY_POSTGRES_URL",
  "PGPASSWORD",
] as const;

/**
 * Returns the settings with the secrets that files hold, without the line ends after them. Reports files that cannot be read
 * or are empty, and secrets that are given in both ways.
 */
export function withSecretFiles(source: SettingSource, report: Report): SettingSource {
  const secrets = new Map<string, string>();
  for (const name of names) {
    const variable = `${name}_FILE`;
    const path = source[variable];
    if (path === undefined || path === "") continue;
    if ((source[name] ?? "") !== "") {
      report(variable, `unset while ${name} is set`);
      continue;
    }
    const secret = readSecret(path);
    if ("problem" in secret) report(variable, `a file with the secret (${secret.problem})`);
    else secrets.set(name, secret.text);
  }
  if (secrets.size === 0) return source;
  return new Proxy(source, {
    get: (target, name) =>
      typeof name === "string" ? (secrets.get(name) ?? target[name]) : undefined,
  });
}

function readSecret(path: string): { readonly text: string } | { readonly problem: string } {
  try {
    const text = readFileSync(path, "utf8").replace(/[\r\n]+$/, "");
    return text === "" ? { problem: "empty" } : { text };
  } catch (error) {
    return { problem: systemErrorCode(error) ?? "unreadable" };
  }
}
