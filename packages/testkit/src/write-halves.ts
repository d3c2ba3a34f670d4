import fileSystem, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

type Write = (
  bytes: Uint8Array,
  offset?: number,
  length?: number,
  position?: number | null,
) => Promise<unknown>;

/** Lets each write to a file take only half of its bytes, like that of a disk that is almost full, until disposed of. */
export function writeHalves(): Disposable {
  const { open } = fileSystem;
  const halving = async (...args: Parameters<typeof open>): Promise<FileHandle> => {
    const file = await open(...args);
    const write: Write = file.write.bind(file);
    const writeHalf: Write = (bytes, offset = 0, length = bytes.length - offset, position) =>
      write(bytes, offset, Math.ceil(length / 2), position);
    return Object.assign(file, { write: writeHalf });
  };
  replaceOpen(halving);
  return { [Symbol.dispose]: () => replaceOpen(open) };
}

function replaceOpen(open: typeof fileSystem.open): void {
  Object.assign(fileSystem, { open });
  syncBuiltinESMExports();
}
