import type { Clock } from "@slipway/runtime";

import type { SecretBox } from "../../platform/auth/secret-box.ts";

/** The peer that a token is for. */
export interface ResumedPeer {
  readonly peerId: string;
  readonly userId: string;
  /** The part of the network that it may reach: an agent, or the tailnet. */
  readonly audience: string;
}

export interface ResumeToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

const lifetimeMs = 24 * 60 * 60_000;
/** The time after which clients should ask for a new one (docs/protocol/rpc.md §6.4). */
export const refreshAfterMs = lifetimeMs / 2;
/** The purpose, which keeps other encrypted values from being accepted as tokens. */
const purpose = "tailnet-resume";
const maxTokenLength = 1024;

/**
 * Tokens with which a client that lost its connection comes back as the same peer. They are encrypted and authenticated
 * with the deployment's secret key, valid only for the same user and the same agent, and opaque to clients.
 */
export class ResumeTokens {
  readonly #secrets: SecretBox;
  readonly #clock: Pick<Clock, "now">;

  constructor(secrets: SecretBox, clock: Pick<Clock, "now">) {
    this.#secrets = secrets;
    this.#clock = clock;
  }

  issue(peer: ResumedPeer): ResumeToken {
    const expiresAtMs = this.#clock.now() + lifetimeMs;
    const text = [purpose, peer.peerId, peer.userId, peer.audience, expiresAtMs].join("\n");
    return { token: this.#secrets.seal(text).toString("base64url"), expiresAtMs };
  }

  /** Returns the id of the peer that a user resumes for an audience; undefined for a token that is not valid for it. */
  read(token: string, { userId, audience }: Omit<ResumedPeer, "peerId">): string | undefined {
    if (token.length > maxTokenLength) return undefined;
    const [what, peerId, user, where, expiresAtMs] = this.#open(token);
    if (what !== purpose || user !== userId || where !== audience) return undefined;
    return Number(expiresAtMs) > this.#clock.now() ? peerId : undefined;
  }

  #open(token: string): readonly string[] {
    try {
      return this.#secrets.open(Buffer.from(token, "base64url")).split("\n");
    } catch {
      // From another deployment, encrypted with a key that is gone, or made up.
      return [];
    }
  }
}
