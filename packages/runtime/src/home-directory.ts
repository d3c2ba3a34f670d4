import { userInfo } from "node:os";
import { isAbsolute } from "node:path";

/**
 * Returns the user's home directory, an absolute path: `HOME`, else that of the passwd entry, else the root. A
 * relative `HOME` is ignored, as files would otherwise be read and written in the current directory.
 */
export function homeDirectory(
  environment: Readonly<Record<string, string | undefined>>,
  readEntry: () => string | undefined = passwdHome,
): string {
  const { HOME: given = "" } = environment;
  if (isAbsolute(given)) return given;
  return readEntry() || "/";
}

function passwdHome(): string | undefined {
  try {
    return userInfo().homedir;
  } catch {
    // A container may run under a uid that has no passwd entry.
    return undefined;
  }
}
