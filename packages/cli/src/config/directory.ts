import { isAbsolute, join } from "node:path";

import { homeDirectory } from "@slipway/runtime/home-directory";

import { type Environment, firstVariable } from "./environment.ts";

/** Returns the directory of the stored session: the flag, then the variables, then `slipway` below XDG's directory. */
export function configDirectory(flag: string | undefined, environment: Environment): string {
  if (flag !== undefined) return flag;
  const named = firstVariable(environment, "SLIPWAY_CONFIG_DIR", "CODER_CONFIG_DIR");
  if (named !== undefined) return named;
  const base = environment["XDG_CONFIG_HOME"] ?? "";
  // XDG's specification wants a relative path ignored.
  const isUsable = isAbsolute(base);
  return join(isUsable ? base : join(homeDirectory(environment), ".config"), "slipway");
}
