/*
 * The file of X11's cookies, entry after entry, all numbers big-endian (Xau(3), docs/protocol/agent.md §6.6):
 *
 *   uint16 family | address | display number | protocol | cookie      each but the family: uint16 length, then that many bytes
 */

/** The cookie for a display of this machine. */
export interface AuthorityEntry {
  readonly host: string;
  readonly display: number;
  /** The name of the authorization protocol. */
  readonly protocol: string;
  readonly cookie: Buffer;
}

/** The family of this machine's displays, identified by host name. */
const localFamily = 0x0100;
const lengthBytes = 2;
const fieldsOfEntry = 4;
/** The fields that identify an entry: the display's host and number, and the protocol. */
const keyFields = 3;

/** Returns the file with this entry in place of those for the same display; undefined if it is malformed. */
export function withEntry(file: Buffer, entry: AuthorityEntry): Buffer | undefined {
  const entries = split(file);
  if (entries === undefined) return undefined;
  const added = encode(entry);
  const key = added.subarray(0, keyLength(added));
  const others = entries.filter((one) => !one.subarray(0, keyLength(one)).equals(key));
  return Buffer.concat([...others, added]);
}

function encode({ host, display, protocol, cookie }: AuthorityEntry): Buffer {
  const fields = [Buffer.from(host), Buffer.from(String(display)), Buffer.from(protocol), cookie];
  return Buffer.concat([
    uint16(localFamily),
    ...fields.flatMap((one) => [uint16(one.length), one]),
  ]);
}

/** Returns the entries as views; undefined if the last one is truncated. */
function split(file: Buffer): readonly Buffer[] | undefined {
  const entries: Buffer[] = [];
  for (let at = 0; at < file.length;) {
    const end = fieldsEnd(file, at, fieldsOfEntry);
    if (end === undefined) return undefined;
    entries.push(file.subarray(at, end));
    at = end;
  }
  return entries;
}

function keyLength(entry: Buffer): number {
  return fieldsEnd(entry, 0, keyFields) ?? entry.length;
}

/** Returns the offset after a number of fields of the entry at an offset; undefined if the file ends before. */
function fieldsEnd(file: Buffer, entryAt: number, fields: number): number | undefined {
  let at = entryAt + lengthBytes;
  for (let field = 0; field < fields; field += 1) {
    if (at + lengthBytes > file.length) return undefined;
    at += lengthBytes + file.readUInt16BE(at);
  }
  return at <= file.length ? at : undefined;
}

function uint16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(lengthBytes);
  bytes.writeUInt16BE(value);
  return bytes;
}
