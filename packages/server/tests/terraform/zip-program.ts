import { crc32 } from "node:zlib";

const localSignature = 0x04_03_4b_50;
const centralSignature = 0x02_01_4b_50;
const endSignature = 0x06_05_4b_50;
const unix = 3;
const executable = 0o100755;

/** Returns a ZIP archive with one program, stored as it is. */
export function zipProgram(name: string, program: Buffer): Buffer {
  const nameBytes = Buffer.from(name);
  // Version 2.0 to extract, no flags, stored, no time.
  const shared = Buffer.alloc(26);
  shared.writeUInt16LE(20, 0);
  shared.writeUInt32LE(crc32(program), 10);
  shared.writeUInt32LE(program.length, 14);
  shared.writeUInt32LE(program.length, 18);
  shared.writeUInt16LE(nameBytes.length, 22);
  const local = Buffer.concat([word(localSignature), shared, nameBytes]);
  const place = Buffer.alloc(14);
  place.writeUInt32LE(executable * 0x1_00_00, 6);
  const madeBy = Buffer.from([20, unix]);
  const central = Buffer.concat([word(centralSignature), madeBy, shared, place, nameBytes]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length + program.length, 12);
  return Buffer.concat([local, program, central, word(endSignature), end]);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
