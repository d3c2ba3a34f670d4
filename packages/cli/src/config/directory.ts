import { homedir } from "node:os";
import { join } from "node:path";

import { type Environment, firstVariable } from "./environment.ts";

/** Returns the directory of the stored session: the flag, then the variables, then `slipway` below XDG's directory. */
export function configDirectory(flag: string | undefined, environment: Environment): string {
  if (flag !== undefined) return flag;
  const named = firstVariable(environment, "SLIPWAY_CONFIG_DIR", "CODER_CONFIG_DIR");
  if (named !== undefined) return named;
  const base = firstVariable(environment, "XDG_CONFIG_HOME") ?? join(homedir(), ".config");
  return join(base, "slipway");
}
