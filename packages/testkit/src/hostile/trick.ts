import type { HostileTarget } from "./target.ts";

/** A recorder of one performance of a trick. */
export interface Play {
  /** Records that the server accepted or refused something. */
  note(isTaken: boolean): void;
  /** Records the end of an agent's call. */
  reply(reply: { readonly type: string }): void;
  status(status: number, what: string): void;
  /** Records the end of a request; resolves to undefined if it was refused. */
  request<T>(what: string, request: Promise<T>): Promise<T | undefined>;
}

/** An attack of a few seconds at most, which is played repeatedly. */
export interface Trick {
  readonly name: string;
  readonly run: (target: HostileTarget, play: Play, signal: AbortSignal) => Promise<void>;
}
