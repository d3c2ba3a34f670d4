/** The proof of the agent's identity to the server. */
export interface Credential {
  /** Returns the present token; undefined while there is none yet. */
  current(): string | undefined;
  /** Gets a new token where one is to be had, and resolves to it. Rejects with the signal's reason too. */
  refresh(signal: AbortSignal): Promise<string>;
}

/** Makes a credential of a fixed token that the agent was given. */
export function givenToken(token: string): Credential {
  return { current: () => token, refresh: async () => token };
}
