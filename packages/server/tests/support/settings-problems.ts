import { ConfigError } from "../../src/platform/config/setting-source.ts";
import { readSettings } from "../../src/platform/config/settings.ts";

/** Returns the problems of invalid settings; none if they are accepted. */
export function problemsOf(source: Record<string, string>): readonly string[] {
  try {
    readSettings(source, false);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}
