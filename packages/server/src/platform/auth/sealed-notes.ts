import type { Clock } from "@slipway/runtime";
import { EncryptJWT, errors, jwtDecrypt, type JWTPayload } from "jose";

import type { DerivedKey, SecretBox } from "./secret-box.ts";

const keyBytes = 32;
const issuer = "slipway";
/** The longest note that is read, in characters: shorter than a cookie may be. */
const maxNoteLength = 4096;

/** Encrypts what a client keeps for the server during a login, for one user and one purpose. */
export class SealedNotes {
  readonly #keys: readonly [DerivedKey, ...DerivedKey[]];
  readonly #clock: Pick<Clock, "now">;

  /** `kind` keeps notes of other kinds from being one. */
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

  /** Returns a note with its user as `sub`; undefined if it is another one's, or too old. */
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
  /** The user that it must be for; undefined for any. */
  readonly userId?: string;
  /** The purpose, with the provider's id or the app's origin. */
  readonly purpose: string;
}

interface Lifetime {
  readonly seconds: number;
}
