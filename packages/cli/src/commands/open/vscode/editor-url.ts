/** A place that an editor opens, by the names that the extension reads (docs/protocol/clients.md §1.11). */
export interface EditorPlace {
  /** The address of the server. */
  readonly url: string;
  readonly owner: string;
  readonly workspace: string;
  readonly agent: string;
  readonly folder?: string;
}

/** Returns the URL that opens a place in an editor; with a token, the editor logs in by it. */
export function editorUrl(scheme: string, place: EditorPlace, token?: string): string {
  const query = new URLSearchParams({ ...place, ...(token === undefined ? {} : { token }) });
  // The extension decodes a space from its percent form only.
  return `${scheme}://coder.coder-remote/open?${query.toString().replaceAll("+", "%20")}`;
}
