import { glob, open } from "node:fs/promises";
import { join } from "node:path";

import { safeReadFlags } from "./read-bounded.ts";

/** The files of a configuration; its installed modules are in a directory that patterns skip. */
const places = ["", ".terraform/modules"];
const pattern = "**/*.{tf,tofu,tf.json,tofu.json}";
const maxFiles = 10_000;
const maxFileBytes = 4 * 1024 * 1024;

/** Reports whether a configuration, or a module that is installed for it, names an attribute. */
export async function namesAttribute(directory: string, attribute: string): Promise<boolean> {
  let files = 0;
  for (const place of places) {
    const cwd = join(directory, place);
    for await (const path of glob(pattern, { cwd })) {
      if (++files > maxFiles) return false;
      if ((await readStart(join(cwd, path))).includes(attribute)) return true;
    }
  }
  return false;
}

/** Reads the beginning of a configuration's file. A template's link or pipe reads as empty: what it links to is read by its own name. */
export async function readStart(path: string): Promise<Buffer> {
  try {
    await using file = await open(path, safeReadFlags);
    const found = await file.stat();
    if (!found.isFile()) return Buffer.alloc(0);
    const buffer = Buffer.alloc(Math.min(maxFileBytes, found.size));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return buffer.subarray(0, bytesRead);
  } catch {
    return Buffer.alloc(0); // gone, or a link
  }
}
