/** The content of a file as a page shows it. */
export type ShownContent =
  | EditableText
  /** A picture as an address of its bytes, which runs nothing. */
  | { readonly kind: "image"; readonly address: string }
  | { readonly kind: "binary" };

/** A text as a field of the browser edits it, with line feeds between its lines. */
export interface EditableText {
  readonly kind: "text";
  readonly text: string;
  /** The line breaks of the file. */
  readonly lineBreak: "\n" | "\r\n";
}

/** The picture formats that cannot contain scripts, by the endings of their names. */
const imageTypes: ReadonlyMap<string, string> = new Map([
  ["png", "image/png"],
  ["jpg", "image/jpeg"],
  ["jpeg", "image/jpeg"],
  ["gif", "image/gif"],
  ["webp", "image/webp"],
]);

/** The largest file that a page shows, in bytes. */
export const maxShownBytes = 1024 * 1024;

/** Decides how to show a file: as a picture by its name, as text if it is UTF-8 without NUL, or not at all. */
export function shownContent(path: string, bytes: Uint8Array): ShownContent {
  const type = imageTypes.get(path.split(".").at(-1)?.toLowerCase() ?? "");
  if (type !== undefined) return { kind: "image", address: `data:${type};base64,${base64(bytes)}` };
  if (bytes.includes(0)) return { kind: "binary" };
  try {
    // The mark at the beginning of some files stays in the text, which is saved with it.
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return editableText(decoder.decode(bytes));
  } catch {
    return { kind: "binary" };
  }
}

function editableText(text: string): EditableText {
  const hasOnlyPairs = text.includes("\r\n") && !/\r(?!\n)|(?<!\r)\n/.test(text);
  const lineBreak = hasOnlyPairs ? "\r\n" : "\n";
  return { kind: "text", text: text.replaceAll(/\r\n?/g, "\n"), lineBreak };
}

/** Returns an edited text as it is saved. */
export function savedText(text: string, lineBreak: EditableText["lineBreak"]): string {
  return text.replaceAll("\n", lineBreak);
}

function base64(bytes: Uint8Array): string {
  const chunks: string[] = [];
  for (let at = 0; at < bytes.length; at += 8192) {
    chunks.push(String.fromCharCode(...bytes.subarray(at, at + 8192)));
  }
  return btoa(chunks.join(""));
}

/** Returns the path of an entry of a directory. */
export function childPath(directory: string, name: string): string {
  return directory.endsWith("/") ? `${directory}${name}` : `${directory}/${name}`;
}

/** Returns the directories above a path, from the root, each with its name. */
export function pathParts(
  path: string,
): readonly { readonly name: string; readonly path: string }[] {
  const names = path.split("/").filter((name) => name !== "");
  const parts = names.map((name, index) => ({
    name,
    path: `/${names.slice(0, index + 1).join("/")}`,
  }));
  return [{ name: "/", path: "/" }, ...parts];
}
