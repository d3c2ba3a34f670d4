import type { KnownUser } from "../http/caller.ts";
import type { SealedNotes } from "./sealed-notes.ts";

/** The time for which a page with a form may stay open. */
const nonceSeconds = 12 * 3600;

export type FormUser = Pick<KnownUser, "id" | "keyId">;

/**
 * Returns the nonce of a form that acts for a user at a path: only the session that the page was shown to can send it, so that
 * nobody acts for another account than the one that the page names.
 */
export function sealFormNonce(notes: SealedNotes, user: FormUser, path: string): Promise<string> {
  const key = { userId: user.id, purpose: purposeOf(user, path), seconds: nonceSeconds };
  return notes.seal({}, key);
}

/** Returns whether a form came with a nonce that its user got for this path, and that has not expired. */
export async function isOwnForm(
  notes: SealedNotes,
  user: FormUser,
  { path, nonce }: { readonly path: string; readonly nonce: string },
): Promise<boolean> {
  return (
    (await notes.open(nonce, { userId: user.id, purpose: purposeOf(user, path) })) !== undefined
  );
}

function purposeOf({ keyId }: FormUser, path: string): string {
  return `form of ${keyId} at ${path}`;
}
