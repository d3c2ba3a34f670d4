/** Returns whether a process can be signaled, which zombies can be as well. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
