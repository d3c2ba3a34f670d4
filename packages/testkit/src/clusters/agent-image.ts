import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { createGunzip } from "node:zlib";

import { extract, pack } from "tar-stream";

import { packBox } from "../engines/box-image.ts";
import { buildArchive } from "../engines/test-archive.ts";
import { packImage } from "./image-archive.ts";

/** Returns an image that brings the agent into pods, as an archive: BusyBox, and the agent at `/opt/slipway`. */
export async function buildAgentImage(name: string): Promise<Uint8Array> {
  const { path } = await buildArchive();
  const layer = await moveBelow("opt/", createReadStream(path).pipe(createGunzip()));
  return packImage({ name, layers: [await packBox(), layer], entrypoint: ["/bin/sh"] });
}

/** Packs the files of a tar below a directory. */
async function moveBelow(directory: string, tar: Readable): Promise<Uint8Array> {
  const moved = pack();
  const packed = buffer(Readable.from(moved));
  moved.entry({ name: directory, type: "directory", mode: 0o755 });
  for await (const entry of tar.pipe(extract())) {
    const { header } = entry;
    const linkname = header.type === "link" ? `${directory}${header.linkname}` : header.linkname;
    const content = await buffer(Readable.from(entry));
    moved.entry({ ...header, name: `${directory}${header.name}`, linkname }, content);
  }
  moved.finalize();
  return packed;
}
