import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** The directory of compiled code, which only this user writes; undefined without a home directory that has one place. */
export const cacheDirectory = findCacheDirectory();

function findCacheDirectory() {
  try {
    const home = homedir();
    return isAbsolute(home) ? join(home, ".cache", "slipway", "compiled") : undefined;
  } catch {
    // A user without an entry in the passwd file, and without HOME.
    return undefined;
  }
}
