import { open, readFile } from "node:fs/promises";

const pieceBytes = 4 * 1024 * 1024;

/**
 * Returns whether a process has a text anywhere in its memory: in the encoding of strings with only ASCII characters
 * and of buffers, or in that of other strings.
 */
export async function isInMemory(pid: number, text: string): Promise<boolean> {
  const wanted = [Buffer.from(text, "latin1"), Buffer.from(text, "utf16le")];
  const maps = await readFile(`/proc/${String(pid)}/maps`, "utf8");
  await using memory = await open(`/proc/${String(pid)}/mem`);
  for (const line of maps.split("\n")) {
    const range = /^(?<from>[0-9a-f]+)-(?<to>[0-9a-f]+) r/.exec(line)?.groups;
    if (range === undefined || /\[v(?:var|syscall|var_vclock)\]/.test(line)) continue;
    const end = Number.parseInt(range["to"] ?? "", 16);
    let at = Number.parseInt(range["from"] ?? "", 16);
    while (at < end) {
      const piece = Buffer.alloc(Math.min(pieceBytes, end - at));
      // A page may be gone by now.
      const read = await memory.read(piece, 0, piece.length, at).catch(() => undefined);
      if (read === undefined || read.bytesRead === 0) break;
      if (wanted.some((bytes) => piece.includes(bytes))) return true;
      // A text may lie across two pieces.
      const overlap = read.bytesRead > 2 * text.length && at + read.bytesRead < end;
      at += read.bytesRead - (overlap ? 2 * text.length : 0);
    }
  }
  return false;
}
