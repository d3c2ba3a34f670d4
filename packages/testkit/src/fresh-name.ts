let count = 0;

/**
 * Returns a name that no other call returns: what a test makes under it is not in the way when the test is run again in
 * the same world.
 */
export function freshName(prefix: string): string {
  count += 1;
  // No name is the beginning of another: pages are searched for them.
  return `${prefix}-${String(count).padStart(4, "0")}`;
}
