import type { Clock, Logger } from "@slipway/runtime";
import type { Coordination } from "@slipway/tailnet/coordination/coordination";
import { nodeIdOf } from "@slipway/tailnet/coordination/self-node";
import { agentAddresses, formatAddress, encodeAddress } from "@slipway/tailnet/identity/address";
import { TailnetPeer } from "@slipway/tailnet/net/tailnet-peer";
import { toDuplex } from "@slipway/tailnet/node/duplex";
import { createFetchLatency } from "@slipway/tailnet/node/fetch-latency";
import { loadNativeCrypto } from "@slipway/tailnet/node/native-crypto";
import { createRelayDialer } from "@slipway/tailnet/node/relay-dialer";
import { openUdpSocket } from "@slipway/tailnet/node/udp-socket";
import type { PingAnswer } from "@slipway/tailnet/path/path-action";
import type { TcpStream } from "@slipway/tailnet/stack/tcp-stream";
import type { DERPMap } from "@slipway/wire/protobuf/gen/tailnet_pb";

import { type Service, keepAlive } from "../connections/accepted-connection.ts";
import type { WorkspaceServices } from "../services/workspace-services.ts";
import { netcheckReport } from "./netcheck-report.ts";

/** The network settings of the manifest. */
export interface NetworkManifest {
  readonly derpMap: DERPMap;
  readonly disableDirect: boolean;
  readonly forceWebSocket: boolean;
}

export interface AgentNetworkOptions extends NetworkManifest {
  readonly agentId: string;
  readonly serverUrl: string;
  /** The headers of every request to the server, for a proxy in front of it. */
  readonly headers: Readonly<Record<string, string>>;
  /** The UDP port of direct paths; 0 for any. */
  readonly udpPort: number;
  /** Called with each connection and each datagram of a peer, before it is served. */
  readonly onConnection: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An agent as a peer of the encrypted network, with its own keys. Its opener closes it. */
export class AgentNetwork implements AsyncDisposable {
  readonly #peer: TailnetPeer;
  readonly #closeSocket: () => Promise<void>;
  readonly #onConnection: () => void;

  private constructor(
    peer: TailnetPeer,
    closeSocket: () => Promise<void>,
    onConnection: () => void,
  ) {
    this.#peer = peer;
    this.#closeSocket = closeSocket;
    this.#onConnection = onConnection;
  }

  /** Opens the agent's addresses. Throws the system's error if the requested UDP port is in use. */
  static async open(options: AgentNetworkOptions): Promise<AgentNetwork> {
    const { agentId, derpMap, disableDirect, udpPort, onConnection, headers, ...rest } = options;
    const [crypto, socket] = await Promise.all([
      loadNativeCrypto((reason) =>
        options.logger.warn({ reason }, "cannot load libsodium: using slower cryptography"),
      ),
      disableDirect ? undefined : openUdpSocket({ port: udpPort }),
    ]);
    const peer = new TailnetPeer({
      ...rest,
      role: "agent",
      nodeId: nodeIdOf(agentId),
      addresses: agentAddresses(agentId),
      crypto,
      random: Math.random,
      dialer: createRelayDialer({ headers }),
      fetchLatency: createFetchLatency({ headers }),
      socket,
    });
    peer.setDerpMap(derpMap);
    const closeSocket = async (): Promise<void> => socket?.close();
    return new AgentNetwork(peer, closeSocket, onConnection);
  }

  /** Connects the agent to its coordinator, over any number of sessions. */
  get coordination(): Coordination {
    return this.#peer.coordination;
  }

  /** Rejects if the network itself has failed; never resolves. */
  get failed(): Promise<never> {
    return this.#peer.failed;
  }

  /** Serves the workspace to its peers. Call it once. */
  serve(services: WorkspaceServices): void {
    const { stack } = this.#peer;
    for (const [port, service] of services.byPort) void this.#listen(port, service);
    stack.forwardTcp((request) => {
      this.#onConnection();
      services.forwardTcp(request);
    });
    const forwardUdp = services.forwardUdp((from, to, payload) => stack.sendUdp(from, to, payload));
    stack.forwardUdp((datagram) => {
      this.#onConnection();
      forwardUdp(datagram);
    });
  }

  /** Resolves to the network report (docs/protocol/agent.md §8.9). */
  netcheck(): Promise<object> {
    return netcheckReport(this.#peer.status);
  }

  /** Resolves to the median round trip to the active peers, in milliseconds; undefined if none answers. */
  medianLatency(signal: AbortSignal): Promise<number | undefined> {
    return this.#peer.medianLatency(signal);
  }

  /**
   * Pings the peer at an address of the network; undefined if there is none. Throws `PathError` and the signal's
   * reason.
   */
  async ping(address: string, signal: AbortSignal): Promise<PingAnswer | undefined> {
    const bytes = encodeAddress(address);
    return bytes === undefined ? undefined : this.#peer.pingAddress(bytes, signal);
  }

  /** Says goodbye and closes everything. Idempotent. */
  async close(): Promise<void> {
    await this.#peer.close();
    await this.#closeSocket();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Ends when the network closes. */
  async #listen(port: number, service: Service): Promise<void> {
    for await (const stream of this.#peer.stack.listen(port)) {
      this.#onConnection();
      accept(stream, service);
    }
  }
}

function accept(stream: TcpStream, service: Service): void {
  stream.setKeepAlive(keepAlive);
  const remoteAddress = formatAddress(stream.remote.address);
  service.accept(Object.assign(toDuplex(stream), { remoteAddress }));
}
