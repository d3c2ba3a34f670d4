import { errorText, systemErrorCode } from "@slipway/runtime";

import type { DescriptorShare } from "../../connections/descriptors.ts";
import type { SessionEnd } from "../../connections/session-log.ts";
import { fileTurns } from "../../process/turns.ts";
import type { ChannelWriter } from "../channel-output.ts";
import type { SessionChannel } from "../sessions/session-channel.ts";
import { type Answer, SftpAnswer, statusAnswer } from "./answers.ts";
import { SftpError, SftpStatus } from "./errors.ts";
import { FieldReader, text, uint32 } from "./fields.ts";
import { OpenHandles } from "./open-handles.ts";
import { lengthBytes, PacketReader, giveRoomBack } from "./packets.ts";
import type { SftpFiles } from "./paths.ts";
import { readRequest, sftpExtensions, sftpRequests } from "./requests.ts";

/** The version of the protocol that all clients support. */
const version = 3;
const initType = 1;
/** The type of a packet, then the id of the request, then the rest. */
const typeAt = 0;
const idAt = 1;
const fieldsAt = 5;

interface SftpOptions extends Omit<SftpFiles, "handles"> {
  readonly descriptors: DescriptorShare;
}

/**
 * Serves files to a client (docs/protocol/agent.md §6.8), one request at a time, until the client ends its side. Relative paths
 * begin in `directory`.
 */
export async function serveSftp(
  channel: SessionChannel,
  { directory, home, owner, descriptors }: SftpOptions,
): Promise<SessionEnd> {
  await using handles = new OpenHandles(owner, descriptors);
  const files: SftpFiles = { directory, home, handles, owner };
  const packets = new PacketReader();
  try {
    for await (const chunk of channel.input.iterator({ destroyOnReturn: false })) {
      await serveInOrder(packets.receive(chunk), channel.writer, files);
    }
  } catch (error) {
    if (!(error instanceof SftpError)) throw error;
    return { statusCode: 1, reason: errorText(error) };
  }
  return { statusCode: 0, reason: "graceful" };
}

/** Answers requests in order. Of two READ requests, the second is served while the first answer is sent. */
async function serveInOrder(
  requests: readonly Buffer[],
  writer: ChannelWriter,
  files: SftpFiles,
): Promise<void> {
  let ahead: Promise<Buffer> | undefined;
  for (const [index, request] of requests.entries()) {
    const bytes = await (ahead ?? answer(request, files));
    const next = requests[index + 1];
    ahead = isRead(request) && next !== undefined && isRead(next) ? answer(next, files) : undefined;
    // Its error does not matter if the client has gone.
    ahead?.catch(() => undefined);
    giveRoomBack(request);
    await writer.write("stdout", bytes);
    giveRoomBack(bytes);
  }
}

function isRead([type]: Buffer): boolean {
  return type === readRequest;
}

async function answer(packet: Buffer, files: SftpFiles): Promise<Buffer> {
  const [type = 0] = packet;
  if (type === initType) return encodeVersion();
  const id = new FieldReader(packet, idAt).uint32();
  const found = await handle(type, new FieldReader(packet, fieldsAt), files);
  const bytes = found.packet;
  bytes.writeUInt32BE(bytes.length - lengthBytes);
  bytes.writeUInt8(found.type, lengthBytes + typeAt);
  bytes.writeUInt32BE(id, lengthBytes + idAt);
  return bytes;
}

async function handle(type: number, fields: FieldReader, files: SftpFiles): Promise<Answer> {
  try {
    const request = sftpRequests.get(type);
    if (request === undefined) throw new SftpError(SftpStatus.unsupported, "no such request");
    return await fileTurns.run(files.owner, () => request(fields, files));
  } catch (error) {
    if (error instanceof SftpError) {
      if (error.code === "malformed") throw error;
      return statusAnswer(error.status, error.message);
    }
    return statusAnswer(statusOf(error), errorText(error));
  }
}

function encodeVersion(): Buffer {
  const extensions = sftpExtensions.flatMap(([name, data]) => [text(name), text(data)]);
  const body = Buffer.concat([Buffer.of(SftpAnswer.version), uint32(version), ...extensions]);
  return Buffer.concat([uint32(body.length), body]);
}

function statusOf(error: unknown): SftpStatus {
  switch (systemErrorCode(error) ?? "") {
    case "ENOENT":
    case "ENOTDIR":
      return SftpStatus.noSuchFile;
    case "EACCES":
    case "EPERM":
      return SftpStatus.permissionDenied;
    default:
      return SftpStatus.failure;
  }
}
