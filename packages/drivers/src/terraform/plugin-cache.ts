import { readFile } from "node:fs/promises";

import type { TerraformDriverOptions } from "./terraform-options.ts";
import type { TerraformProgram } from "./terraform-program.ts";

/** The oldest release of OpenTofu that locks what it writes to a cache of providers. Terraform locks nothing. */
const oldestLocking = { major: 1, minor: 10 };

/**
 * Reports whether only one run at a time may install providers: runs share a cache of them (`plugin_cache_dir`), which two
 * runs of this program corrupt.
 */
export async function mustInstallAlone(
  { product, version }: TerraformProgram,
  { configFile, environment }: Pick<TerraformDriverOptions, "configFile" | "environment">,
): Promise<boolean> {
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  const locks =
    product === "OpenTofu" &&
    (major > oldestLocking.major ||
      (major === oldestLocking.major && minor >= oldestLocking.minor));
  if (locks) return false;
  if ((environment["TF_PLUGIN_CACHE_DIR"] ?? "") !== "") return true;
  // The program itself reports a file that cannot be read.
  const text = configFile && (await readFile(configFile, "utf8").catch(() => ""));
  return /^\s*"?plugin_cache_dir"?\s*[=:]/m.test(text ?? "");
}
