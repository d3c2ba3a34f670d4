import { InterruptError } from "../../command/errors.ts";
import type { Needs } from "../../command/needs.ts";
import { forwardSignal } from "./carry-session.ts";
import type { Session } from "./ssh-connection.ts";

export type SessionEndNeeds = Pick<Needs, "signal" | "interruption">;

/**
 * Returns the signal that ends a session without a terminal. The first interruption is passed on to the program, which
 * decides what follows; the second ends the session, and so does the end of stdout or of the terminal.
 */
export function endOf(session: Session, { signal, interruption }: SessionEndNeeds): AbortSignal {
  const ended = new AbortController();
  const onAbort = (): void => {
    const { reason } = signal;
    if (reason instanceof InterruptError) forwardSignal(session, reason.signal);
    const isOver = !(reason instanceof InterruptError) || reason.signal === "SIGHUP";
    if (isOver) ended.abort(reason);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return AbortSignal.any([ended.signal, interruption.forced]);
}
