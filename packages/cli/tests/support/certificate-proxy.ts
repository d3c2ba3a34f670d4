import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";

import { type LocalServer, openLocalServer } from "@slipway/testkit";
import { issue } from "@slipway/testkit/clouds";

import { keyOf } from "./tls-server.ts";

/** A proxy that admits only connections with a certificate of its company, and forwards them unchanged. */
export interface CertificateProxy extends LocalServer {
  /** The files of an admitted certificate, of its key, and of the authority of the proxy's own certificate. */
  readonly files: { readonly cert: string; readonly key: string; readonly ca: string };
  /** The first line of each admitted connection. */
  readonly admitted: readonly string[];
  /** The errors of refused connections, which a test may clear. */
  readonly refused: string[];
  readonly directory: string;
  /** Sets the target of connections. */
  forwardTo(port: number): void;
}

/** Opens a proxy at `https://localhost`. */
export async function openCertificateProxy(): Promise<CertificateProxy> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-certificate-"));
  const authority = await issue({ name: "server authority", isAuthority: true });
  const certificate = await issue({ name: "localhost", issuer: authority });
  const clientAuthority = await issue({ name: "client authority", isAuthority: true });
  const client = await issue({ name: "laptop", issuer: clientAuthority });
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(directory, name), text);
    return join(directory, name);
  };
  const admitted: string[] = [];
  const refused: string[] = [];
  let target = 0;
  const server = createServer(
    {
      key: keyOf(certificate),
      cert: certificate.pem,
      ca: clientAuthority.pem,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (near) => {
      near.once("data", (chunk: Buffer) => admitted.push(chunk.toString().split("\r\n")[0] ?? ""));
      const far = connect(target, "127.0.0.1");
      near.pipe(far).pipe(near);
      near.on("error", () => far.destroy()).on("close", () => far.destroy());
      far.on("error", () => near.destroy()).on("close", () => near.destroy());
    },
  );
  server.on("tlsClientError", (error: NodeJS.ErrnoException) => {
    // A client that left during its handshake was not refused.
    if (error.code !== "ECONNRESET") refused.push(error.message);
  });
  const { port, ...listening } = await openLocalServer(server);
  return {
    port,
    url: `https://localhost:${port}`,
    files: {
      cert: await file("client.pem", client.pem),
      key: await file("client.key", keyOf(client)),
      ca: await file("server-authority.pem", authority.pem),
    },
    admitted,
    refused,
    directory,
    forwardTo: (to) => {
      target = to;
    },
    [Symbol.asyncDispose]: async () => {
      await rm(directory, { recursive: true });
      await listening[Symbol.asyncDispose]();
    },
  };
}
