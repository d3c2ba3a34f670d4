/* Offsets of the ELF header and of a program header, of 64 bits and little-endian as on both architectures. */
const magic = "7f454c460201";
const headerBytes = 64;
const programHeadersAt = 0x20;
const sectionHeadersAt = 0x28;
const programHeaderSizeAt = 0x36;
const programHeaderCountAt = 0x38;
const sectionCountAt = 0x3c;
const sectionNamesAt = 0x3e;
const segmentOffsetAt = 0x08;
const segmentBytesAt = 0x20;
const programHeaderBytes = 56;

/**
 * Returns the program without the parts that no loader reads: the section headers, symbols and debug information
 * after its last segment. It needs no program of the architecture and gives the same bytes everywhere. Throws if the
 * file is not a complete 64-bit ELF file.
 */
export function stripElf(file: Buffer): Buffer {
  if (file.length < headerBytes || file.toString("hex", 0, 6) !== magic) {
    throw new Error("not a 64-bit little-endian ELF file");
  }
  const end = endOfSegments(file);
  const stripped = Buffer.from(file.subarray(0, end));
  stripped.writeBigUInt64LE(0n, sectionHeadersAt);
  stripped.writeUInt16LE(0, sectionCountAt);
  stripped.writeUInt16LE(0, sectionNamesAt);
  return stripped;
}

function endOfSegments(file: Buffer): number {
  const start = Number(file.readBigUInt64LE(programHeadersAt));
  const size = file.readUInt16LE(programHeaderSizeAt);
  const count = file.readUInt16LE(programHeaderCountAt);
  const headersEnd = start + size * count;
  if (size !== programHeaderBytes || headersEnd > file.length) {
    throw new Error(`the program headers end at ${headersEnd} of ${file.length} bytes`);
  }
  let end = headersEnd;
  for (let at = start; at < headersEnd; at += size) {
    const segmentEnd =
      file.readBigUInt64LE(at + segmentOffsetAt) + file.readBigUInt64LE(at + segmentBytesAt);
    end = Math.max(end, Number(segmentEnd));
  }
  if (end > file.length) throw new Error(`a segment ends at ${end} of ${file.length} bytes`);
  return end;
}
