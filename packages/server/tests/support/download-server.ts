import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";

import { pack } from "tar-stream";
import { inject, onTestFinished } from "vitest";

import { openServer } from "./open-server.ts";

/** A server that serves archives with a shell script in place of the command. */
export interface DownloadServer extends AsyncDisposable {
  readonly url: string;
  /** Resolves to a script served by the server. */
  readonly script: (path: string) => Promise<string>;
}

/** Prints its arguments, the environment of an agent, and its own path. */
export const program = `#!/bin/sh
[ "$1" = --version ] && { echo "slipway v0.1.0"; exit; }
echo "args=$*"
echo "url=\${CODER_AGENT_URL-} token=\${CODER_AGENT_TOKEN-}"
echo "at=$0"
`;

/** Resolves to an archive whose command is the script `content`. */
export async function packArchive(
  content = program,
  compress: (tar: Buffer) => Buffer = gzipSync,
): Promise<Buffer> {
  const archive = pack();
  // As in a real archive, times do not depend on when it was built.
  archive.entry({ name: "slipway/", type: "directory", mode: 0o755, mtime: new Date(0) });
  archive.entry({ name: "slipway/bin/slipway", mode: 0o755 }, content);
  archive.finalize();
  return compress(await buffer(archive));
}

export async function openDownloadServer(): Promise<DownloadServer> {
  await using opened = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "slipway-scripts-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  const archive = await packArchive();
  for (const name of ["amd64", "arm64"]) {
    await writeFile(join(directory, `slipway-linux-${name}.tar.gz`), archive);
  }
  const settings = { SLIPWAY_DOWNLOADS_DIR: directory };
  const { url } = opened.use(await openServer(inject("postgresUrl"), settings));
  const kept = opened.move();
  return {
    url,
    script: async (path) => (await fetch(`${url}${path}`)).text(),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Serves an archive, and a checksum, like a Slipway server. */
export function serveArchive(archive: Buffer, sum?: string): Promise<string> {
  const own = createHash("sha256").update(archive).digest("hex");
  return serve((request, response) => {
    response.end(request.url?.endsWith(".sha256") ? `${sum ?? own}  name\n` : archive);
  });
}

/** Serves on a port of this machine until the test ends; resolves to the URL. */
export async function serve(listener: RequestListener): Promise<string> {
  const own = createServer(listener).listen(0, "127.0.0.1");
  onTestFinished(() => void own.close());
  await once(own, "listening");
  const address = own.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}
