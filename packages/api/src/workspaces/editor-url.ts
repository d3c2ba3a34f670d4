/** A place that an editor opens, with the field names that the extension reads (docs/protocol/clients.md §1.11). */
export interface EditorPlace {
  /** The address of the server. */
  readonly url: string;
  readonly owner: string;
  readonly workspace: string;
  readonly agent: string;
  readonly folder?: string;
}

/** Returns the URL that opens a place in an editor; with a token, the editor logs in with it. */
export function editorUrl(scheme: string, place: EditorPlace, token?: string): string {
  const fields = { ...place, ...(token === undefined ? {} : { token }) };
  const query = Object.entries(fields).map(([name, value]) => `${name}=${encode(value)}`);
  return `${scheme}://coder.coder-remote/open?${query.join("&")}`;
}

/** Escapes a value; a quote too, so that the URL can be put between quotes in a shell. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll("'", "%27");
}
