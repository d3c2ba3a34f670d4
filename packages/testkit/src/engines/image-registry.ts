import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";

import { packBox } from "./box-image.ts";

/** A registry of images on the loopback, where engines need no TLS. */
export interface ImageRegistry extends AsyncDisposable {
  /** Such as `127.0.0.1:40123`. */
  readonly host: string;
  /** The credentials of the requests so far, each once. */
  readonly credentials: ReadonlySet<string>;
}

interface RegistryOptions {
  /** The user and the password that it wants; undefined for a public one. */
  readonly login: string | undefined;
  readonly arch: string;
}

const manifestType = "application/vnd.docker.distribution.manifest.v2+json";

/** Opens a registry with one image, the box of the test engines, under every name. */
export async function openRegistry({ login, arch }: RegistryOptions): Promise<ImageRegistry> {
  const tar = await packBox();
  const layer = gzipSync(tar);
  const config = Buffer.from(
    JSON.stringify({
      architecture: arch,
      os: "linux",
      config: { Env: ["PATH=/bin"] },
      rootfs: { type: "layers", diff_ids: [digestOf(tar)] },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: entry("application/vnd.docker.container.image.v1+json", config),
      layers: [entry("application/vnd.docker.image.rootfs.diff.tar.gzip", layer)],
    }),
  );
  const blobs = new Map([layer, config, manifest].map((blob) => [digestOf(blob), blob]));
  const credentials = new Set<string>();
  const wanted = login === undefined ? undefined : `Basic ${Buffer.from(login).toString("base64")}`;

  const answer = ({ url = "", headers }: IncomingMessage, response: ServerResponse): void => {
    const { authorization } = headers;
    if (authorization !== undefined) credentials.add(authorization);
    if (wanted !== undefined && authorization !== wanted) {
      response.writeHead(401, { "WWW-Authenticate": 'Basic realm="images"' });
      response.end(
        JSON.stringify({ errors: [{ code: "UNAUTHORIZED", message: "authentication required" }] }),
      );
      return;
    }
    if (url === "/v2/") {
      response.end("{}");
      return;
    }
    const [, kind = "", reference = ""] = /\/(manifests|blobs)\/([^/]+)$/.exec(url) ?? [];
    const blob = kind === "manifests" && !reference.includes(":") ? manifest : blobs.get(reference);
    if (blob === undefined || reference === "absent") {
      response.writeHead(404);
      response.end(
        JSON.stringify({ errors: [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown" }] }),
      );
      return;
    }
    response.setHeader("Docker-Content-Digest", digestOf(blob));
    response.setHeader(
      "Content-Type",
      kind === "manifests" ? manifestType : "application/octet-stream",
    );
    response.setHeader("Content-Length", blob.length);
    response.end(blob);
  };

  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    host: `127.0.0.1:${port}`,
    credentials,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function entry(mediaType: string, blob: Uint8Array): unknown {
  return { mediaType, size: blob.length, digest: digestOf(blob) };
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
