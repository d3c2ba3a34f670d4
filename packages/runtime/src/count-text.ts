/** Returns a count with its noun: "1 workspace", "2 workspaces"; `plural` is for irregular nouns. */
export function countText(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
