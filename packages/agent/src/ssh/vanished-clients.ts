/** The silence after which a client counts as gone: longer than the outages that sessions survive (docs/network.md). */
const goneAfterMs = 6 * 60_000;
const askEveryMs = 30_000;
/** The minimum number of unanswered probes after which a client counts as gone. */
const minQuestions = 3;

/** Returns the interval of ssh2's keep-alive probes, and the number of them that may be unanswered. */
export function questionsFor(maxTimeoutMs: number): {
  readonly keepaliveInterval: number;
  readonly keepaliveCountMax: number;
} {
  const afterMs = Math.min(goneAfterMs, maxTimeoutMs);
  const keepaliveCountMax = Math.max(minQuestions, Math.floor(afterMs / askEveryMs));
  return { keepaliveInterval: Math.ceil(afterMs / keepaliveCountMax), keepaliveCountMax };
}
