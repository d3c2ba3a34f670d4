import type { Variables } from "./agent-config.ts";

/** The environment of this process. */
export function processEnvironment(): Variables {
  return process.env;
}
