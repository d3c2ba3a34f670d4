import { SshError } from "../errors.ts";

/**
 * The undocumented fields of ssh2 1.17.0 that the agent uses, by their owner: all of them, since the functions below take no
 * other name. A newer version of the library may lack any of them; `private-fields.test.ts` checks each, and that no other
 * folder uses one. docs/decisions/ssh.md gives the purpose of each.
 */
export const privateFields = {
  connection: ["_protocol", "_chanMgr"],
  protocol: [
    "_onPayload",
    "_kexinit",
    "_offer",
    "_cipher",
    "_decipher",
    "channelData",
    "channelExtData",
    "channelClose",
    "openssh_authAgent",
  ],
  channelTable: ["add", "remove"],
  session: ["_channel", "_chanInfo", "_ending"],
  channel: ["_client", "_waitWindow", "_chunkcb", "_waitChanDrain", "outgoing", "incoming"],
  offer: ["lists"],
  cipher: ["_encSSLName", "_encKey", "_encIV", "_onWrite", "outSeqno"],
  decipher: ["_decipherSSLName", "_decipherKey", "_decipherIV", "inSeqno"],
} as const;

export type PrivateField = (typeof privateFields)[keyof typeof privateFields][number];

export function fieldOf(owner: object, name: PrivateField): unknown {
  return Reflect.get(owner, name);
}

export function setField(owner: object, name: PrivateField, value: unknown): void {
  Reflect.set(owner, name, value);
}

/** Returns a field that holds an object. Throws `SshError` "library-changed", as do the functions below. */
export function objectIn(owner: object, name: PrivateField): object {
  const found = fieldOf(owner, name);
  if (typeof found !== "object" || found === null) throw libraryChanged(name);
  return found;
}

export function flagIn(owner: object, name: PrivateField): boolean {
  const found = fieldOf(owner, name);
  if (typeof found !== "boolean") throw libraryChanged(name);
  return found;
}

/** Returns a method, bound to its owner. */
export function methodIn(
  owner: object,
  name: PrivateField,
): (...args: readonly unknown[]) => unknown {
  const found = fieldOf(owner, name);
  if (typeof found !== "function") throw libraryChanged(name);
  return (...args) => Reflect.apply(found, owner, args);
}

export function libraryChanged(name: string): SshError {
  return new SshError("library-changed", `ssh2 lacks ${name}`);
}
