/** Longest value that a message shows, in characters. */
const maxShown = 60;

/** A text in quotes as messages show it. Long ones are cut. */
export function quoted(text: string): string {
  return JSON.stringify(cut(text));
}

export function cut(text: string): string {
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}
