import { access, readFile } from "node:fs/promises";

/** Reads the text of a file; undefined if it is missing or inaccessible. */
export function readText(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

/** Reads a file that consists of a number; undefined for anything else, including `max`. */
export async function readNumber(path: string): Promise<number | undefined> {
  const text = (await readText(path))?.trim();
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Reads the number after a name, in a file of lines `name number`. */
export async function readField(path: string, name: string): Promise<number | undefined> {
  const line = (await readText(path))?.split("\n").find((each) => each.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
