/** The silence after which a client is gone: longer than the outages that a session lasts through (docs/network.md). */
const goneAfterMs = 6 * 60_000;
const askEveryMs = 30_000;
/** The questions that a client may leave open at least. */
const minQuestions = 3;

/** Returns how often ssh2 asks whether a client is there, and how many questions it may leave open. */
export function questionsFor(maxTimeoutMs: number): {
  readonly keepaliveInterval: number;
  readonly keepaliveCountMax: number;
} {
  const afterMs = Math.min(goneAfterMs, maxTimeoutMs);
  const keepaliveCountMax = Math.max(minQuestions, Math.floor(afterMs / askEveryMs));
  return { keepaliveInterval: Math.ceil(afterMs / keepaliveCountMax), keepaliveCountMax };
}
