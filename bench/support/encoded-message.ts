import type {
  DescMessage,
  MessageInitShape,
  MessageShape,
} from "@slipway/wire/protobuf/descriptors";
import { createMessage, encodeMessage } from "@slipway/wire/protobuf/message";

/**
 * Makes a message that costs its sender next to nothing: it is encoded here, and everything after its first tag stands
 * as the value of one unknown field, which is sent unchanged, so that only the receiver is measured.
 */
export function encodedMessage<Desc extends DescMessage>(
  schema: Desc,
  fields: MessageInitShape<Desc>,
): MessageShape<Desc> {
  const bytes = encodeMessage(schema, fields);
  const tag = bytes[0] ?? 0;
  // A tag of one byte: five bits of number, three of type.
  if (tag >= 0x80) throw new Error(`${schema.typeName} begins with a tag longer than a byte`);
  const message = createMessage(schema);
  // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the three bits are a wire type that was just encoded
  message.$unknown = [{ no: tag >> 3, wireType: tag & 7, data: bytes.subarray(1) }];
  return message;
}
