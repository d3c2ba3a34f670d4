import { type ReinitAnswer, ReinitError } from "@slipway/sdk/agent";

import type { WaitForReinit } from "./poll-reinit.ts";

/** The source of the agent's token. */
export interface Credential {
  /** Returns the current token; undefined before the first. */
  current(): string | undefined;
  /** Resolves to a new token if the credential can be renewed, else to the current one. */
  refresh(signal: AbortSignal): Promise<string>;
}

/** Returns the credential of an agent with a fixed token. */
export function givenToken(token: string): Credential {
  return { current: () => token, refresh: async () => token };
}

/** Asks once with this token. Rejects only with the signal's reason. */
export type AskWithToken = (token: string, signal: AbortSignal) => Promise<ReinitAnswer>;

/**
 * Asks with the agent's current token. If there is none, or the last answer refused it, gets a new one first: at most
 * one for each request, so that spacing out the requests also spaces out the renewals.
 */
export function askAsAgent(credential: Credential, ask: AskWithToken): WaitForReinit {
  let refused: string | undefined;
  return async (signal) => {
    let token = credential.current();
    if (token === undefined || token === refused) {
      try {
        token = await credential.refresh(signal);
      } catch (cause) {
        signal.throwIfAborted();
        return { kind: "failed", error: new ReinitError("no token for the request", { cause }) };
      }
    }
    const answer = await ask(token, signal);
    refused = answer.kind === "unauthorized" ? token : undefined;
    return answer;
  };
}
