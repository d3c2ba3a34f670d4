import { readFile } from "node:fs/promises";

/** The directory of this package. It is two steps up from `src/config`, `dist/config` and `dist/bundle` alike. */
export const packageDirectory = new URL("../../", import.meta.url);

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
