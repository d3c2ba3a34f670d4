/** The parts of the codecs that only their fuzzing needs by themselves (`npm run fuzz:codecs`). */
export { ByteQueue } from "./bytes/byte-queue.ts";
export { GrowingBuffer } from "./bytes/growing-buffer.ts";
export { addWords, finishChecksum } from "./bytes/internet-checksum.ts";
export { encodeUtf8, parseUtf8, parseUtf8Lenient } from "./bytes/utf8.ts";
export { appendVarint, parseVarint } from "./bytes/varint.ts";
export { encodeFrame, parseFrame } from "./drpc/frame.ts";
export { encodeMetadata, parseMetadata } from "./drpc/metadata.ts";
export { encodeRpcError, parseRpcError } from "./drpc/rpc-error.ts";
export { optionsBytes, writeOptions } from "./tcp/options.ts";
export { writeHeader } from "./tcp/segment.ts";
export {
  encodeCookieReply,
  encodeHandshakeResponse,
  encodeInitiation,
} from "./wireguard/message.ts";
export { encodeHeader, Flag, FrameType } from "./yamux/header.ts";
export { maxWaitingReplies } from "./yamux/output.ts";
export { initialWindow } from "./yamux/stream-state.ts";
