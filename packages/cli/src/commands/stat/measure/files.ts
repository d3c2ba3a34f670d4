import { access, readFile } from "node:fs/promises";

/** The text of a file; undefined where it is not there or out of reach. */
export function readText(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

/** The number that a file consists of; undefined for anything else, `max` too. */
export async function readNumber(path: string): Promise<number | undefined> {
  const text = (await readText(path))?.trim();
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** The number after a name, in a file of lines `name number`. */
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
