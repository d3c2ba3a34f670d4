/** The maximum length of a value in a message, in characters. */
const maxShown = 60;

/** Quotes a text for messages. Long texts are cut. */
export function quote(text: string): string {
  return JSON.stringify(truncate(text));
}

export function truncate(text: string): string {
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}
