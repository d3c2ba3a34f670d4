import { abortable, errorText, silentLogger, webClock } from "@slipway/runtime";
import type { connectWorkspace } from "@slipway/sdk/browser";
import type { ApiClient } from "@slipway/sdk/http";
import {
  type OpenTerminalLink,
  socketLinks,
  type TerminalLink,
  TunnelLink,
} from "@slipway/sdk/terminal";

/** The way of a terminal's bytes, and the reason for it. */
export type TerminalWay =
  /** Straight to the agent: relays and the server carry only ciphertext. */
  | { readonly kind: "encrypted"; readonly relay: string }
  /** Through the server, which can read it. */
  | { readonly kind: "server"; readonly reason: string };

type Connection = Awaited<ReturnType<typeof connectWorkspace>>;

interface TerminalWaysOptions {
  readonly client: ApiClient;
  readonly agentId: string;
  /** Reports the way of the latest connection. */
  readonly onWay: (way: TerminalWay) => void;
  /** Ends the encrypted network's connection. */
  readonly signal: AbortSignal;
}

/** The time for the encrypted way; after it a terminal goes through the server. */
const encryptedTimeoutMs = 6_000;

/**
 * Returns a function that connects the terminals of an agent: end to end encrypted if the page can join the network, or
 * else through the server. All terminals share one connection to the network.
 */
export function terminalWays({
  client,
  agentId,
  onWay,
  signal: closed,
}: TerminalWaysOptions): OpenTerminalLink {
  const openSocket = socketLinks({ client, agentId, clock: webClock });
  let joined: Promise<Connection> | undefined;

  const join = async (): Promise<Connection> => {
    // Loaded for the first terminal: the network and its cryptography are larger than this page.
    const browser = await import("@slipway/sdk/browser");
    const connection = await browser.connectWorkspace({
      client,
      agentId,
      clock: webClock,
      logger: silentLogger,
      signal: closed,
    });
    const leave = (): void => {
      joined = undefined;
      void connection.close();
    };
    closed.addEventListener("abort", leave, { once: true });
    connection.failed.catch(leave);
    if (closed.aborted) leave();
    return connection;
  };

  const openEncrypted: OpenTerminalLink = async (start, signal) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(encryptedTimeoutMs)]);
    joined ??= join();
    const joining = joined;
    try {
      const connection = await abortable(joining, limit);
      const link = await TunnelLink.open(connection, start, limit);
      const { path } = connection;
      onWay({ kind: "encrypted", relay: path?.kind === "relay" ? path.regionName : "direct" });
      return link;
    } catch (error) {
      // The next terminal joins again.
      if (joined === joining) joined = undefined;
      joining.then((connection) => connection.close()).catch(() => undefined);
      throw error;
    }
  };

  return async (start, signal): Promise<TerminalLink> => {
    let reason: string;
    try {
      return await openEncrypted(start, signal);
    } catch (error) {
      signal.throwIfAborted();
      const isLate = error instanceof DOMException && error.name === "TimeoutError";
      reason = isLate ? "the encrypted network did not answer in time" : errorText(error);
    }
    const link = await openSocket(start, signal);
    onWay({ kind: "server", reason });
    return link;
  };
}
