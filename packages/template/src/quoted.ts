/** The longest value that a message shows, in characters. */
const maxShown = 60;

/** Quotes a text for messages. Long ones are cut. */
export function quoted(text: string): string {
  return JSON.stringify(cut(text));
}

export function cut(text: string): string {
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}
