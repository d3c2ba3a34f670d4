import { stat } from "node:fs/promises";

/** The wanted directory if it exists and is one, else home. */
export async function workingDirectory(wanted: string, home: string): Promise<string> {
  if (wanted === "") return home;
  try {
    return (await stat(wanted)).isDirectory() ? wanted : home;
  } catch {
    // Absent or out of reach: a start script may be what makes it.
    return home;
  }
}
