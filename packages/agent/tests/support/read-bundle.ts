import { Readable } from "node:stream";
import { text } from "node:stream/consumers";

import { extract } from "tar-stream";

/** Reads the archive of a bundle: the names and contents of its entries, and the manifest, which comes last. */
export async function readBundle(bytes: Uint8Array): Promise<{
  readonly entries: readonly (readonly [string, string])[];
  readonly manifest: unknown;
}> {
  const archive = extract();
  Readable.from([bytes], { objectMode: false }).pipe(archive);
  const entries: [string, string][] = [];
  for await (const entry of archive) entries.push([entry.header.name, await text(entry)]);
  const [name, manifest = ""] = entries.pop() ?? [];
  if (name !== "manifest.json") throw new Error(`the last entry is ${name}`);
  return { entries, manifest: JSON.parse(manifest) };
}
