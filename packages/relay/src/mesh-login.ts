import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";

/** Both ends of a link between relays: their ids, and their keys for this connection only. */
export interface LinkEnds {
  /** The ids of the relay that logs in, and of the one that it wants to reach. */
  readonly clientId: string;
  readonly serverId: string;
  readonly clientKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/** The login of a relay at another one, with the proof that it has the key of the mesh. */
interface MeshLogin extends Pick<LinkEnds, "clientId" | "serverId"> {
  readonly proof: string;
}

/** The keys of a link, one for each direction. */
export interface LinkSecrets {
  readonly toServer: Uint8Array;
  readonly toClient: Uint8Array;
}

/** The prefix of every login; a change of the format changes it. */
const version = "slipway-mesh-2";
const keyBytes = 32;

/**
 * Encodes a relay's mesh key for its login (docs/decisions/relay-links.md): a proof of the key that is worthless on
 * any other connection and at any other relay. The key itself is never sent.
 */
export function encodeMeshLogin(meshKey: string, ends: LinkEnds): string {
  const { clientId, serverId } = ends;
  return [version, clientId, serverId, proofOf(meshKey, ends).toString("base64url")].join(" ");
}

/** Reads a client's mesh key; undefined if it does not log in as a relay of this version. */
export function readMeshLogin(text: string): MeshLogin | undefined {
  const [found, clientId, serverId, proof] = text.split(" ");
  if (found !== version) return undefined;
  if (clientId === undefined || serverId === undefined || proof === undefined) return undefined;
  return { clientId, serverId, proof };
}

/** Returns whether a login proves that its sender has the key of the mesh; always false without a key. */
export function isProven(
  { proof }: Pick<MeshLogin, "proof">,
  meshKey: string,
  ends: LinkEnds,
): boolean {
  if (meshKey === "") return false;
  const [found, wanted] = [Buffer.from(proof, "base64url"), proofOf(meshKey, ends)];
  return found.length === wanted.length && timingSafeEqual(found, wanted);
}

/**
 * Derives the keys of a link from the secret of both ends' keys for it, which no one else can compute later, and from
 * the key of the mesh, without which no one can be one of the ends.
 */
export function deriveLinkSecrets(
  meshKey: string,
  secret: Uint8Array,
  ends: LinkEnds,
): LinkSecrets {
  const bytes = new Uint8Array(hkdfSync("sha256", secret, meshKey, transcript(ends), 2 * keyBytes));
  return { toServer: bytes.subarray(0, keyBytes), toClient: bytes.subarray(keyBytes) };
}

function proofOf(meshKey: string, ends: LinkEnds): Buffer {
  return createHmac("sha256", meshKey).update("login\0").update(transcript(ends)).digest();
}

/** Returns everything on which both ends must agree. */
function transcript({ clientId, serverId, clientKey, serverKey }: LinkEnds): Buffer {
  const names = Buffer.from(`${version}\0${clientId}\0${serverId}\0`);
  return Buffer.concat([names, clientKey, serverKey]);
}
