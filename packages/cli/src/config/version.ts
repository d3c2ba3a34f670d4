import { readFile } from "node:fs/promises";

import { packageDirectory } from "./package-directory.ts";

/** The version of this package. */
export async function readVersion(): Promise<string> {
  const text = await readFile(new URL("package.json", packageDirectory), "utf8");
  const manifest: unknown = JSON.parse(text);
  const version =
    typeof manifest === "object" && manifest !== null && "version" in manifest
      ? manifest.version
      : "";
  return typeof version === "string" ? version : "";
}
