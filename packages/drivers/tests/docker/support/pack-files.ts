import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";

import { pack } from "tar-stream";

/** Packs files by their paths. */
export function packFiles(files: Readonly<Record<string, string>>): Promise<Uint8Array> {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) tar.entry({ name }, content);
  tar.finalize();
  return buffer(Readable.from(tar));
}
