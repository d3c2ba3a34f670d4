import { errorText, settlesWithin } from "@slipway/runtime";

import {
  type AcceptedConnection,
  type Service,
  endConnection,
} from "../connections/accepted-connection.ts";
import { allCiphers, CipherOffer } from "./cipher-offer.ts";
import { deriveHostKey, type HostNames } from "./host-key.ts";
import type { SshHost } from "./sessions/session-needs.ts";
import { serveSshConnection } from "./ssh-connection.ts";
import { createSshServer, type SshServer } from "./ssh2/ssh2.ts";
import { questionsFor } from "./vanished-clients.ts";

/** The maximum number of connections; further ones are closed. */
const maxConnections = 512;
/** The time for a client to log in. */
const loginTimeoutMs = 60_000;
/** The time for sessions to close their channels. */
const farewellMs = 1_000;

/**
 * The key exchanges of ssh2, without the large groups, with which a client that reconnects in a loop would block the
 * agent.
 */
const keyExchanges = [
  "curve25519-sha256",
  "curve25519-sha256@libssh.org",
  "ecdh-sha2-nistp256",
  "ecdh-sha2-nistp384",
  "ecdh-sha2-nistp521",
  "diffie-hellman-group14-sha256",
] as const;

export interface SshServiceOptions {
  readonly host: SshHost;
  /** Returns the names of the workspace, from which the host key is derived. */
  readonly names: () => HostNames;
  /** Ends all sessions: their channels are closed without a status. */
  readonly signal: AbortSignal;
}

/** Serves SSH (docs/protocol/agent.md §6). The protocol is loaded with the first connection. */
export function createSshService({ host, names, signal }: SshServiceOptions): Service {
  let connections = 0;
  let hostKey: string | undefined;
  const offer = new CipherOffer();
  const serve = (connection: AcceptedConnection): void => {
    hostKey ??= deriveHostKey(names());
    const server = createSshServer({
      hostKeys: [hostKey],
      ident: "Slipway",
      algorithms: {
        kex: [...keyExchanges],
        cipher: { append: [], prepend: [...allCiphers], remove: [] },
        // A few compressed bytes can expand to more than the available memory.
        compress: ["none"],
      },
      ...questionsFor(host.settings.maxTimeoutMs),
    });
    server.on("connection", (client, { header }) => offer.begin(client, header.versions.software));
    begin(server, connection, host, signal);
  };
  return {
    accept: (connection) => {
      // ssh2 handles the errors of connections that it serves.
      connection.on("error", () => undefined);
      if (signal.aborted || connections >= maxConnections) {
        connection.destroy();
        return;
      }
      connections += 1;
      connection.once("close", () => void (connections -= 1));
      try {
        serve(connection);
      } catch (error) {
        host.logger.error({ error: errorText(error) }, "cannot serve ssh");
        connection.destroy();
      }
    },
  };
}

function begin(
  server: SshServer,
  connection: AcceptedConnection,
  host: SshHost,
  signal: AbortSignal,
): void {
  const deadline = setTimeout(() => connection.destroy(), loginTimeoutMs);
  let sessionsEnded = async (): Promise<void> => undefined;
  // The sessions close their channels first: their last messages must precede the end.
  const stop = (): void => {
    void settlesWithin(sessionsEnded(), farewellMs, host.commands.clock).then(() =>
      endConnection(connection),
    );
  };
  signal.addEventListener("abort", stop, { once: true });
  connection.once("close", () => {
    clearTimeout(deadline);
    signal.removeEventListener("abort", stop);
  });
  server.on("connection", (client) => {
    client.on("ready", () => clearTimeout(deadline));
    sessionsEnded = serveSshConnection(client, connection, host, signal);
  });
  server.injectSocket(connection);
}
