import type { HostileTarget } from "./target.ts";

/** The notes of one performance of a trick. */
export interface Play {
  /** Notes that the server took or refused something. */
  note(isTaken: boolean): void;
  /** Notes the end of an agent's call. */
  reply(reply: { readonly type: string }): void;
  status(status: number, what: string): void;
  /** Notes the end of a request; undefined when it is refused. */
  request<T>(what: string, request: Promise<T>): Promise<T | undefined>;
}

/** An attack that takes a few seconds at most, again and again. */
export interface Trick {
  readonly name: string;
  readonly run: (target: HostileTarget, play: Play, signal: AbortSignal) => Promise<void>;
}
