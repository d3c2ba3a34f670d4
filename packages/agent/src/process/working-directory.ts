import { stat } from "node:fs/promises";

/** Returns the wanted directory if it exists and is one, else home. */
export async function workingDirectory(wanted: string, home: string): Promise<string> {
  if (wanted === "") return home;
  try {
    return (await stat(wanted)).isDirectory() ? wanted : home;
  } catch {
    // Absent or out of reach: a start script may create it.
    return home;
  }
}
