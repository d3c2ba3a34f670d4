import { constants, type Stats } from "node:fs";
import {
  link,
  lstat,
  mkdir,
  open,
  opendir,
  readlink,
  rename,
  rmdir,
  stat,
  statfs,
  symlink,
  unlink,
} from "node:fs/promises";

import { rightsBits } from "../../files/describe-file.ts";
import { openWithoutEffect } from "../../files/open-file.ts";
import { anyBytes } from "../../files/paths.ts";
import {
  type Answer,
  answerHeadBytes,
  attributes,
  done,
  handleAnswer,
  type NamedFile,
  names,
  numbers,
  ok,
  SftpAnswer,
} from "./answers.ts";
import { SftpError, SftpStatus } from "./errors.ts";
import type { Attributes, FieldReader } from "./fields.ts";
import { setFile, setLink, setPath } from "./file-attributes.ts";
import { maxHandles } from "./open-handles.ts";
import { lengthBytes, maxPacketBytes, takeRoom } from "./packets.ts";
import { expand, path, resolve, type SftpFiles } from "./paths.ts";

type Handle = (fields: FieldReader, files: SftpFiles) => Promise<Answer>;

/** The maximum number of bytes of a READ or WRITE. */
const maxDataBytes = maxPacketBytes - 1024;
/** The maximum number of directory entries in an answer. */
const maxEntries = 64;
const defaultMode = { file: 0o666, directory: 0o777 } as const;
/** The maximum length of a file name on Linux. */
const maxNameBytes = 255;

/** The extensions that the server announces, with their versions. */
export const sftpExtensions = [
  ["posix-rename@openssh.com", "1"],
  ["hardlink@openssh.com", "1"],
  ["fsync@openssh.com", "1"],
  ["expand-path@openssh.com", "1"],
  ["limits@openssh.com", "1"],
  ["lsetstat@openssh.com", "1"],
  ["statvfs@openssh.com", "2"],
] as const;

const extensions: ReadonlyMap<string, Handle> = new Map<string, Handle>([
  [
    "posix-rename@openssh.com",
    async (fields, files) => done(rename(path(fields, files), path(fields, files))),
  ],
  [
    "hardlink@openssh.com",
    async (fields, files) => done(link(path(fields, files), path(fields, files))),
  ],
  [
    "fsync@openssh.com",
    async (fields, { handles }) => done(handles.file(fields.text()).file.sync()),
  ],
  [
    "expand-path@openssh.com",
    async (fields, files) => names([{ name: await expand(fields, files) }]),
  ],
  [
    "limits@openssh.com",
    async () => numbers([maxPacketBytes, maxDataBytes, maxDataBytes, maxHandles]),
  ],
  [
    "lsetstat@openssh.com",
    async (fields, files) => done(setLink(path(fields, files), fields.attributes())),
  ],
  ["statvfs@openssh.com", async (fields, files) => fileSystem(path(fields, files))],
]);

/** The number of the READ request, which changes nothing. */
export const readRequest = 5;

/** The requests of version 3 by their numbers (draft-ietf-secsh-filexfer-02). */
export const sftpRequests: ReadonlyMap<number, Handle> = new Map<number, Handle>([
  [3, openFile],
  [4, async (fields, { handles }) => done(handles.close(fields.text()))],
  [readRequest, read],
  [6, write],
  [7, async (fields, files) => attributes(await lstat(path(fields, files)))],
  [8, async (fields, { handles }) => attributes(await handles.file(fields.text()).file.stat())],
  [9, async (fields, files) => done(setPath(path(fields, files), fields.attributes()))],
  [
    10,
    async (fields, { handles }) =>
      done(setFile(handles.file(fields.text()).file, fields.attributes())),
  ],
  [11, openDirectory],
  [12, readDirectory],
  [13, async (fields, files) => done(unlink(path(fields, files)))],
  [14, async (fields, files) => done(makeDirectory(path(fields, files), fields.attributes()))],
  [15, async (fields, files) => done(rmdir(path(fields, files)))],
  [16, async (fields, files) => names([{ name: await resolve(path(fields, files)) }])],
  [17, async (fields, files) => attributes(await stat(path(fields, files)))],
  [18, async (fields, files) => done(renameNew(path(fields, files), path(fields, files)))],
  [19, async (fields, files) => names([{ name: await readlink(path(fields, files), "buffer") }])],
  // OpenSSH and its peers send the target first, contrary to the draft.
  [20, async (fields, files) => done(symlink(fields.bytes(), path(fields, files)))],
  [200, extended],
]);

async function extended(fields: FieldReader, files: SftpFiles): Promise<Answer> {
  const handle = extensions.get(fields.text());
  if (handle === undefined) throw new SftpError(SftpStatus.unsupported, "no such extension");
  return handle(fields, files);
}

const openFlags = { read: 1, write: 2, append: 4, create: 8, truncate: 16, exclusive: 32 } as const;

async function openFile(fields: FieldReader, files: SftpFiles): Promise<Answer> {
  const name = path(fields, files);
  const wanted = fields.uint32();
  const { mode = defaultMode.file } = fields.attributes();
  const has = (flag: number): boolean => (wanted & flag) !== 0;
  const access = has(openFlags.write)
    ? has(openFlags.read)
      ? constants.O_RDWR
      : constants.O_WRONLY
    : constants.O_RDONLY;
  const flags =
    access |
    (has(openFlags.append) ? constants.O_APPEND : 0) |
    (has(openFlags.create) ? constants.O_CREAT : 0) |
    (has(openFlags.truncate) ? constants.O_TRUNC : 0) |
    (has(openFlags.exclusive) ? constants.O_EXCL : 0);
  const isAppending = has(openFlags.append);
  const handle = await files.handles.open(async () => {
    const file = await open(name, flags | openWithoutEffect, mode & rightsBits);
    return { kind: "file", file, isAppending };
  });
  return handleAnswer(handle);
}

async function read(fields: FieldReader, { handles }: SftpFiles): Promise<Answer> {
  const { file } = handles.file(fields.text());
  const offset = fields.uint64();
  const wanted = Math.min(fields.uint32(), maxDataBytes);
  // Data is read after the room for the head, which saves a copy.
  const dataAt = answerHeadBytes + lengthBytes;
  const packet = takeRoom(dataAt + wanted);
  const { bytesRead } = await file.read(packet, dataAt, wanted, offset);
  if (bytesRead === 0) throw new SftpError(SftpStatus.endOfFile, "end of file");
  packet.writeUInt32BE(bytesRead, answerHeadBytes);
  return { type: SftpAnswer.data, packet: packet.subarray(0, dataAt + bytesRead) };
}

async function write(fields: FieldReader, { handles }: SftpFiles): Promise<Answer> {
  const { file, isAppending } = handles.file(fields.text());
  const offset = fields.uint64();
  const data = fields.bytes();
  for (let written = 0; written < data.length;) {
    const at = isAppending ? null : offset + written;
    const { bytesWritten } = await file.write(data, written, data.length - written, at);
    written += bytesWritten;
  }
  return ok();
}

async function openDirectory(fields: FieldReader, files: SftpFiles): Promise<Answer> {
  const name = path(fields, files);
  const handle = await files.handles.open(async () => {
    const directory = await opendir(name, { encoding: anyBytes });
    return { kind: "directory", directory, path: name };
  });
  return handleAnswer(handle);
}

async function readDirectory(fields: FieldReader, { handles }: SftpFiles): Promise<Answer> {
  const { directory, path: parent } = handles.directory(fields.text());
  const entries: NamedFile[] = [];
  while (entries.length < maxEntries) {
    const entry = await directory.read();
    if (entry === null) break;
    const child = Buffer.from(entry.name, anyBytes);
    const stats = await lstatOrGone(Buffer.concat([parent, Buffer.from("/"), child]));
    if (stats !== undefined) entries.push({ name: child, stats });
  }
  if (entries.length === 0) throw new SftpError(SftpStatus.endOfFile, "end of directory");
  return names(entries);
}

async function lstatOrGone(name: Buffer): Promise<Stats | undefined> {
  try {
    return await lstat(name);
  } catch {
    return undefined;
  }
}

async function makeDirectory(name: Buffer, { mode }: Attributes): Promise<void> {
  await mkdir(name, (mode ?? defaultMode.directory) & rightsBits);
}

/** Renames unless the new name exists, as the draft requires; OpenSSH prefers its extension. */
async function renameNew(from: Buffer, to: Buffer): Promise<void> {
  if ((await lstatOrGone(to)) !== undefined) {
    throw new SftpError(SftpStatus.failure, "the new name exists");
  }
  await rename(from, to);
}

/** Describes the file system of a path by the fields of statvfs(3) that Node.js provides. */
async function fileSystem(name: Buffer): Promise<Answer> {
  const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(name);
  const [id, flags] = [0, 0];
  const fields = [
    bsize,
    bsize,
    blocks,
    bfree,
    bavail,
    files,
    ffree,
    ffree,
    id,
    flags,
    maxNameBytes,
  ];
  return numbers(fields);
}
