import { rm, writeFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { createGzip } from "node:zlib";

import { systemErrorCode } from "@slipway/runtime";
import { pack } from "tar-stream";

import { CommandError } from "../../../command/errors.ts";
import type { BundleFile } from "./bundle.ts";

/** The directory of all files in the archive. */
const folder = "slipway-support";

/** Writes files as a tar.gz that only its owner can read. Throws `CommandError` if the path exists. */
export async function writeArchive(path: string, files: readonly BundleFile[]): Promise<void> {
  const archive = await archiveOf(files);
  try {
    await writeFile(path, archive, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") throw existing(path);
    // What a full disk has taken of it is of no use.
    if (systemErrorCode(error) === "ENOSPC") await rm(path, { force: true });
    throw error;
  }
}

/** The error for a path that is taken. */
export function existing(path: string): CommandError {
  return new CommandError(`${path} already exists and was not changed`, {
    hint: "name another file with --output-file",
  });
}

async function archiveOf(files: readonly BundleFile[]): Promise<Buffer> {
  const tar = pack();
  for (const { name, text } of files) tar.entry({ name: `${folder}/${name}`, mode: 0o600 }, text);
  tar.finalize();
  return buffer(tar.pipe(createGzip()));
}
