import { createHash, randomUUID } from "node:crypto";

import { countText, printableLine } from "@slipway/runtime";

import type { SealedNotes } from "../../platform/auth/sealed-notes.ts";
import { OauthError } from "./errors.ts";
import { parseRedirectUri } from "./redirect-uri.ts";

/** A program that registered itself, by its own account: anyone may register under any name (RFC 7591 §5). */
export interface OauthClient {
  readonly id: string;
  readonly name: string;
  readonly redirectUris: readonly string[];
}

/** Limits of a registration: the client's id holds all of it, and is part of a URL. */
const maxRedirectUris = 16;
const maxRedirectUriLength = 512;
const maxRedirectUriLengths = 1_536;
const maxNameLength = 80;
/** The time for which a registration is good for new logins; grants last longer if they are used. */
const registrationSeconds = 365 * 24 * 3600;

const purpose = "registration";

/** A registration: the program, and the text by which it identifies itself from now on. */
export interface Registration {
  readonly client: OauthClient;
  readonly clientId: string;
}

/**
 * Registers a program. The server stores nothing: the id that it issues is the registration itself, encrypted, so that
 * strangers who register often take no room from others. Throws `OauthError`.
 */
export async function registerClient(notes: SealedNotes, metadata: unknown): Promise<Registration> {
  const { name, redirectUris } = readMetadata(metadata);
  const client = { id: randomUUID(), name, redirectUris };
  const note = { jti: client.id, name, uris: [...redirectUris] };
  const clientId = await notes.seal(note, { userId: "", purpose, seconds: registrationSeconds });
  return { client, clientId };
}

/** Returns the program that an id was issued to; undefined for any other text. */
export async function findClient(
  notes: SealedNotes,
  clientId: string,
): Promise<OauthClient | undefined> {
  const { jti, name, uris } = (await notes.open(clientId, { purpose })) ?? {};
  if (jti === undefined || typeof name !== "string" || !Array.isArray(uris)) return undefined;
  return { id: jti, name, redirectUris: uris.map(String) };
}

/** Returns the value by which a grant recognizes its client's id. */
export function hashClientId(clientId: string): Buffer {
  return createHash("sha256").update(clientId).digest();
}

/** Reads the members that matter here; others are ignored, as RFC 7591 §2 demands. */
function readMetadata(metadata: unknown): Pick<OauthClient, "name" | "redirectUris"> {
  const members: Readonly<Record<string, unknown>> =
    typeof metadata === "object" ? { ...metadata } : {};
  const { redirect_uris: uris, client_name: name = "" } = members;
  const isText = (value: unknown): value is string => typeof value === "string";
  if (!Array.isArray(uris) || !uris.every(isText) || !isText(name)) {
    throw new OauthError(
      "invalid_client_metadata",
      "wanted a JSON object with redirect_uris, a list of strings, and optionally client_name, a string",
    );
  }
  requireRedirectUris(uris);
  const shown = printableLine(name).trim().slice(0, maxNameLength).toWellFormed();
  return { name: shown === "" ? "Unnamed program" : shown, redirectUris: uris };
}

function requireRedirectUris(uris: readonly string[]): void {
  const refuse = (found: string, wanted: string): OauthError =>
    new OauthError("invalid_redirect_uri", `found ${found}, wanted ${wanted}`);
  if (uris.length === 0 || uris.length > maxRedirectUris) {
    throw refuse(countText(uris.length, "redirect URI"), `1 to ${maxRedirectUris}`);
  }
  const long = uris.find((uri) => uri.length > maxRedirectUriLength);
  if (long !== undefined) {
    throw refuse(
      `a redirect URI of ${countText(long.length, "character")}`,
      `at most ${maxRedirectUriLength}`,
    );
  }
  const total = uris.join("").length;
  if (total > maxRedirectUriLengths) {
    throw refuse(
      `redirect URIs of ${countText(total, "character")} in all`,
      `at most ${maxRedirectUriLengths}`,
    );
  }
  const bad = uris.find((uri) => parseRedirectUri(uri) === undefined);
  if (bad === undefined) return;
  throw refuse(
    `the redirect URI ${JSON.stringify(bad)}`,
    "https:, http: to localhost, or the scheme of an application, without a fragment",
  );
}
