import type { User } from "@slipway/api/users/user";
import { useSyncExternalStore } from "react";

/**
 * The session behind the pages that are shown:
 *
 *   none -- begin --> open -- end --> ended -- resume by the same user --> open
 *                                       `----- resume by another user ---> replaced
 *
 * While it has ended, pages stay as they are, and what they read waits. Once it is replaced, they are left.
 */
export type PageSession =
  | { readonly kind: "none" | "replaced" }
  | { readonly kind: "open" | "ended"; readonly user: User };

let session: PageSession = { kind: "none" };
const listeners = new Set<() => void>();

function set(next: PageSession): void {
  session = next;
  for (const listener of listeners) listener();
}

/** Notes whose pages are shown from now on. */
export function beginSession(user: User): void {
  if (session.kind === "none" || session.kind === "open") set({ kind: "open", user });
}

/** Notes that the server no longer knows the session. Returns whether pages are shown, which now wait. */
export function endSession(): boolean {
  if (session.kind === "open") set({ kind: "ended", user: session.user });
  return session.kind !== "none";
}

/** Notes who has logged in above pages that wait. Returns whether the pages are theirs, and continue. */
export function resumeSession(user: User): boolean {
  if (session.kind !== "ended") return session.kind === "open";
  const isSame = user.id === session.user.id;
  set(isSame ? { kind: "open", user } : { kind: "replaced" });
  return isSame;
}

/** Forgets the session: the user has logged out, or logs in on the page for it. */
export function forgetSession(): void {
  set({ kind: "none" });
}

export function usePageSession(): PageSession {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => session,
  );
}
