/** Sends a signal to every process of the group that `pid` leads; false when none is left. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    // ESRCH: all have gone. EPERM: those left became another user and are out of reach.
    return false;
  }
}

/** Reports whether the group still has members. */
export function hasGroup(pid: number): boolean {
  return signalGroup(pid, 0);
}

/** Sends a signal to one process alone; false when it has ended. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    // ESRCH: it has ended. EPERM: it became another user.
    return false;
  }
}
