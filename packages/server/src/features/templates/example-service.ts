import { tarMimeType } from "@slipway/api";
import { pack } from "tar-stream";

import { invalidField } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { type FileNeeds, keepFile } from "../files/service.ts";
import { readExampleText } from "./examples.ts";

/** Stores an example as if the caller had uploaded it; resolves to the file's id. */
export async function keepExample(
  needs: FileNeeds,
  caller: UserCaller,
  id: string,
  drivers: readonly string[],
): Promise<string> {
  const text = await readExampleText(id, drivers);
  if (text === undefined)
    throw invalidField("example_id", `must be the ID of an example, found "${id}"`);
  return (await keepFile(needs, caller, tarMimeType, await packed(text))).id;
}

async function packed(text: string): Promise<Uint8Array> {
  const tar = pack();
  tar.entry({ name: "slipway.yaml", mtime: new Date(0) }, text);
  tar.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return Buffer.concat(chunks);
}
