import { KeyObject } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, RequestListener } from "node:http";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type LocalServer, openLocalServer } from "@slipway/testkit";
import { issue, type IssuedCertificate } from "@slipway/testkit/clouds";
import { type WebSocket, WebSocketServer } from "ws";

export interface TlsServerOptions {
  readonly onRequest: RequestListener;
  readonly onSocket?: (socket: WebSocket, request: IncomingMessage) => void;
}

/** An HTTPS server whose certificate was issued by a company's authority, and the file of that authority. */
export interface TlsServer extends LocalServer {
  readonly authority: IssuedCertificate;
  readonly authorityFile: string;
  /** A directory for this server, which contains only the authority's file. */
  readonly directory: string;
}

/** Opens a server at `https://localhost`; disposing of it removes the directory. */
export async function openTlsServer({ onRequest, onSocket }: TlsServerOptions): Promise<TlsServer> {
  const authority = await issue({ name: "company authority", isAuthority: true });
  const certificate = await issue({ name: "localhost", issuer: authority });
  const server = createServer({ key: keyOf(certificate), cert: certificate.pem }, onRequest);
  new WebSocketServer({ server }).on("connection", (socket, request) => {
    onSocket?.(socket, request);
  });
  const { port, ...listening } = await openLocalServer(server);
  const directory = await mkdtemp(join(tmpdir(), "slipway-authority-"));
  const authorityFile = join(directory, "company.pem");
  await writeFile(authorityFile, authority.pem);
  return {
    port,
    url: `https://localhost:${port}`,
    authority,
    authorityFile,
    directory,
    [Symbol.asyncDispose]: async () => {
      await rm(directory, { recursive: true });
      await listening[Symbol.asyncDispose]();
    },
  };
}

/** Returns the key of a certificate, in PEM. */
export function keyOf({ keys }: IssuedCertificate): string {
  return KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" }).toString();
}
