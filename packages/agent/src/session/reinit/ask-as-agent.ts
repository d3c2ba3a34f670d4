import { type ReinitAnswer, ReinitError } from "@slipway/sdk/agent";

import type { Credential } from "../credential.ts";
import type { WaitForReinit } from "./poll-reinit.ts";

/** Asks once with this token. Rejects with the signal's reason, and for nothing else. */
export type AskWithToken = (token: string, signal: AbortSignal) => Promise<ReinitAnswer>;

/**
 * Asks with the agent's token as it is at that time. Only where there is none, or the last answer refused it, is
 * another one got first: at most one a request, so that spacing the requests out spaces that out too.
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
        return { kind: "failed", error: new ReinitError("no token to ask with", { cause }) };
      }
    }
    const answer = await ask(token, signal);
    refused = answer.kind === "unauthorized" ? token : undefined;
    return answer;
  };
}
