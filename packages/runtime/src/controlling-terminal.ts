import { closeSync, constants, openSync } from "node:fs";

/** Reports whether this process has a controlling terminal, which hangs up with SIGHUP. */
export function hasControllingTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY));
    return true;
  } catch {
    // ENXIO: the process has no controlling terminal.
    return false;
  }
}
