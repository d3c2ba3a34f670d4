import { Readable } from "node:stream";

import { type Header, pack, type Pack } from "tar-stream";

/** Returns the tar that `write` adds entries to, and that ends when it resolves. */
export function writeTar(write: (tar: Pack) => Promise<void>): Readable {
  const tar = pack();
  write(tar).then(
    () => tar.finalize(),
    (error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  return Readable.from(tar, { objectMode: false });
}

/** Adds an entry without content. */
export function addEntry(tar: Pack, header: EntryHeader): Promise<void> {
  return new Promise((resolve, reject) => {
    tar.entry(header, (error) => (error instanceof Error ? reject(error) : resolve()));
  });
}

type EntryHeader = Partial<Header> & Pick<Header, "name">;

/** Returns a time that an archive can state. */
export function entryTime(mtimeMs: number): Date {
  return new Date(Math.max(0, Math.min(mtimeMs, 8e15)));
}
