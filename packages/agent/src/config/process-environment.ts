import type { Variables } from "./agent-config.ts";

/** Returns the environment of this process. */
export function processEnvironment(): Variables {
  return process.env;
}
