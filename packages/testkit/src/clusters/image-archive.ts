import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";

import { pack } from "tar-stream";

export interface NewImage {
  readonly name: string;
  /** Uncompressed tars, the lowest first. */
  readonly layers: readonly Uint8Array[];
  readonly entrypoint: readonly string[];
}

/** Packs an image as an OCI archive, which container runtimes import. */
export async function packImage({ name, layers, entrypoint }: NewImage): Promise<Uint8Array> {
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === "arm64" ? "arm64" : "amd64",
      os: "linux",
      config: { Env: ["PATH=/usr/bin:/bin"], Entrypoint: entrypoint },
      rootfs: { type: "layers", diff_ids: layers.map(digestOf) },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: entryOf("application/vnd.oci.image.config.v1+json", config),
      layers: layers.map((layer) => entryOf("application/vnd.oci.image.layer.v1.tar", layer)),
    }),
  );
  const index = {
    schemaVersion: 2,
    manifests: [
      {
        ...entryOf("application/vnd.oci.image.manifest.v1+json", manifest),
        annotations: { "io.containerd.image.name": name },
      },
    ],
  };
  const tar = pack();
  tar.entry({ name: "oci-layout" }, JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  tar.entry({ name: "index.json" }, JSON.stringify(index));
  for (const blob of new Set([config, manifest, ...layers])) {
    tar.entry(
      { name: `blobs/sha256/${digestOf(blob).slice("sha256:".length)}` },
      Buffer.from(blob),
    );
  }
  tar.finalize();
  return buffer(Readable.from(tar));
}

function entryOf(mediaType: string, blob: Uint8Array) {
  return { mediaType, digest: digestOf(blob), size: blob.length };
}

function digestOf(blob: Uint8Array): string {
  return `sha256:${createHash("sha256").update(blob).digest("hex")}`;
}
