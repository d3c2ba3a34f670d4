import type { Clock } from "@slipway/runtime";

import type { ApiClient, CreateSocket } from "../http/client.ts";

/** The server and the token of a client. */
export interface Session {
  readonly url: string;
  readonly token: string | undefined;
}

export interface ForwardOptions {
  /** The local port (default: a free one). */
  readonly localPort?: number;
  /** The local address (default: 127.0.0.1 and, where there is IPv6, [::1]). */
  readonly host?: string;
  /** Uses relays only. */
  readonly disableDirect?: boolean;
  /** Called with each connection that could not be forwarded, in words. */
  readonly onProblem?: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** A local port whose connections lead to a port of a workspace. Its opener disposes of it. */
export interface Forwarding extends AsyncDisposable {
  readonly localPort: number;
  /** Rejects when the workspace cannot be reached any more; never resolves. */
  readonly failed: Promise<never>;
}

export interface ForwardRequest extends ForwardOptions {
  readonly client: ApiClient;
  readonly agentId: string;
  readonly port: number;
  readonly clock: Clock;
}

/** The part of a client that depends on the program that it runs in. */
export interface ClientPlatform {
  readonly clock: Clock;
  /** Undefined for the global `WebSocket`. */
  readonly createSocket: CreateSocket | undefined;
  /** Finds the session of the environment. Throws if there is none. */
  readonly findSession: () => Promise<Session>;
  readonly forward: (request: ForwardRequest) => Promise<Forwarding>;
}

/** The parts that all handles of a client share. */
export interface ClientContext {
  readonly client: ApiClient;
  readonly platform: ClientPlatform;
}
