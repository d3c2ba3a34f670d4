import type { Run } from "@slipway/api/agents/run-routes";

/** The state of a run in words, and the tone of its dot. */
interface RunStatus {
  readonly text: string;
  readonly tone: "active" | "good" | "warn" | "bad";
}

/** Returns how a run stands, or how it ended. */
export function runStatus({
  status,
  exit_code: code,
  signal,
  timed_out: hasTimedOut,
}: Pick<Run, "status" | "exit_code" | "signal" | "timed_out">): RunStatus {
  if (status === "running") return { text: "Running", tone: "active" };
  if (hasTimedOut) return { text: "Timed out", tone: "bad" };
  if (signal !== null) return { text: `Ended by ${signal}`, tone: "warn" };
  if (code === 0) return { text: "Succeeded", tone: "good" };
  return { text: `Exit code ${String(code ?? "unknown")}`, tone: "bad" };
}

/** The maximum number of characters of output that a page holds: the end of it. */
const maxChars = 400_000;

/** Returns output with a piece after it, without its beginning if it becomes too long. */
export function appendOutput(output: string, piece: string): string {
  const whole = output + piece;
  if (whole.length <= maxChars) return whole;
  const cut = whole.slice(-maxChars);
  return cut.slice(cut.indexOf("\n") + 1);
}
