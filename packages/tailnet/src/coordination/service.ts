import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import type {
  CoordinateRequestSchema,
  CoordinateResponse,
  DERPMap,
} from "@slipway/wire/protobuf/gen/tailnet_pb";

export type CoordinateRequest = MessageInitShape<typeof CoordinateRequestSchema>;

/** A token by which a later session resumes the same peer. */
export interface ResumeToken {
  readonly token: string;
  /** The time after which to ask for a newer one, in milliseconds. */
  readonly refreshInMs: number;
  /** The wall-clock time at which it expires. */
  readonly expiresAt: number;
}

/** One connection to a coordinator. Its streams reject when the connection is lost. */
export interface CoordinationSession {
  /** Resolves to a text for the log once the session is over, for any reason; never rejects. */
  readonly closed: Promise<string>;
  /** Opens the one stream of this peer; it ends when the coordinator ends it. */
  coordinate(
    requests: AsyncIterable<CoordinateRequest>,
    signal: AbortSignal,
  ): AsyncIterable<CoordinateResponse>;
  /** Opens a stream of the relays, sent immediately and whenever they change. */
  derpMaps(signal: AbortSignal): AsyncIterable<DERPMap>;
  /** Resolves to a new token; undefined if the server issues none, as for agents. */
  refreshResumeToken(signal: AbortSignal): Promise<ResumeToken | undefined>;
}

/** A session that its opener closes. */
export interface OpenSession extends CoordinationSession, AsyncDisposable {}

/** The way to a coordinator. */
export interface CoordinationService {
  /** Opens a session, as the peer that a token identifies if there is one. */
  open(resumeToken: string | undefined, signal: AbortSignal): Promise<OpenSession>;
  /**
   * Classifies an error of `open`: another attempt may succeed (`retry`), may succeed without the token
   * (`drop-token`), or the server's answer is final (`refused`).
   */
  verdict(error: unknown): "retry" | "drop-token" | "refused";
}
