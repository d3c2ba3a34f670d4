import type { Clock } from "@slipway/runtime";
import { EncryptJWT, errors, jwtDecrypt, type JWTPayload } from "jose";

import type { KnownUser } from "../http/caller.ts";
import type { DerivedKey, SecretBox } from "./secret-box.ts";

const keyBytes = 32;
const issuer = "slipway";
/** The maximum length of a note that is read, in characters: less than a cookie may have. */
const maxNoteLength = 4096;

/** Encrypts the state that a client keeps for the server during a login, for one user and one purpose. */
export class SealedNotes {
  readonly #keys: readonly [DerivedKey, ...DerivedKey[]];
  readonly #clock: Pick<Clock, "now">;

  /** `kind` keeps a note from being accepted as one of another kind. */
  constructor(secrets: SecretBox, kind: string, clock: Pick<Clock, "now">) {
    this.#keys = secrets.derive(kind, keyBytes);
    this.#clock = clock;
  }

  async seal(
    note: JWTPayload,
    { userId, purpose, seconds }: Required<NoteKey> & Lifetime,
  ): Promise<string> {
    const [{ id, key }] = this.#keys;
    return new EncryptJWT(note)
      .setProtectedHeader({ alg: "dir", enc: "A256GCM", kid: id })
      .setIssuer(issuer)
      .setSubject(userId)
      .setAudience(purpose)
      .setExpirationTime(Math.floor(this.#clock.now() / 1000) + seconds)
      .encrypt(key);
  }

  /** Returns a note with its user as `sub`; undefined if it is for another user or purpose, or too old. */
  async open(text: string, { userId, purpose }: NoteKey): Promise<JWTPayload | undefined> {
    if (text.length > maxNoteLength) return undefined;
    try {
      const { payload } = await jwtDecrypt(text, ({ kid }) => this.#keyOf(kid), {
        issuer,
        ...(userId === undefined ? {} : { subject: userId }),
        audience: purpose,
        currentDate: new Date(this.#clock.now()),
        requiredClaims: ["exp"],
        keyManagementAlgorithms: ["dir"],
        contentEncryptionAlgorithms: ["A256GCM"],
      });
      return payload;
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
      throw error;
    }
  }

  #keyOf(kid: string | undefined): DerivedKey["key"] {
    const found = this.#keys.find(({ id }) => id === kid);
    if (found === undefined) throw new errors.JWEDecryptionFailed();
    return found.key;
  }
}

interface NoteKey {
  /** The user that the note must be for; undefined for any. */
  readonly userId?: string;
  /** The purpose, with the provider's id or the app's origin. */
  readonly purpose: string;
}

interface Lifetime {
  readonly seconds: number;
}

/** The time for which a page with a form may stay open. */
const nonceSeconds = 12 * 3600;

type FormUser = Pick<KnownUser, "id" | "keyId">;

/**
 * Returns the nonce of a form that acts for a user at a path: only the session that was shown the page can send it, so
 * that the form acts for no account other than the one that the page names.
 */
export function sealFormNonce(notes: SealedNotes, user: FormUser, path: string): Promise<string> {
  const key = { userId: user.id, purpose: purposeOf(user, path), seconds: nonceSeconds };
  return notes.seal({}, key);
}

/** Returns whether a form carries an unexpired nonce that its user was given for this path. */
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
