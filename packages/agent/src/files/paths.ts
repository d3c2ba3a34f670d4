import { FileError } from "./errors.ts";

/** The maximum length of a path on Linux, in bytes. */
const maxPathBytes = 4_096;
const slash = 0x2f;

/** Decodes names, which need not be valid text, without loss. */
export const anyBytes = "latin1";

/** Returns the bytes of an absolute path; `~` and `~/…` begin in `home`. Throws `FileError` "invalid". */
export function absolutePath(text: string, home: string): Buffer {
  const expanded = text === "~" || text.startsWith("~/") ? home + text.slice(1) : text;
  const path = Buffer.from(expanded);
  if (path[0] !== slash) throw new FileError("invalid", `path ${shown(text)} is not absolute`);
  if (path.includes(0)) throw new FileError("invalid", "the path contains a zero byte");
  if (path.length > maxPathBytes) {
    throw new FileError("invalid", `the path is longer than ${maxPathBytes} bytes`);
  }
  return withoutEnd(path);
}

/** Returns the path of a child, given the bytes of its name. */
export function childPath(parent: Buffer, name: Buffer | string): Buffer {
  const child = typeof name === "string" ? Buffer.from(name, anyBytes) : name;
  return parent.at(-1) === slash
    ? Buffer.concat([parent, child])
    : Buffer.concat([parent, Buffer.of(slash), child]);
}

/** Splits a path into its directory and its last name, which is empty only for the root. */
export function splitPath(path: Buffer): { readonly directory: Buffer; readonly name: Buffer } {
  const at = path.lastIndexOf(slash);
  return { directory: path.subarray(0, Math.max(1, at)), name: path.subarray(at + 1) };
}

/** Returns a path as text for people and JSON; characters replace bytes that are not UTF-8. */
export function pathText(path: Buffer): string {
  return path.toString();
}

/** Removes slashes at the end, which would make the system follow a link. */
function withoutEnd(path: Buffer): Buffer {
  let end = path.length;
  while (end > 1 && path[end - 1] === slash) end -= 1;
  return path.subarray(0, end);
}

function shown(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
