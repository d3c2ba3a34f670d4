import type { DescMethod } from "@bufbuild/protobuf";

/**
 * The descriptors, building blocks and well-known types of messages, from the library behind the generated code. Only
 * this package depends on it.
 */
export { ScalarType } from "@bufbuild/protobuf";
export type {
  DescMessage,
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
export { DurationSchema, EmptySchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
export type { Empty, Timestamp } from "@bufbuild/protobuf/wkt";

/**
 * Returns the name of a method in an Invoke, such as `/coder.agent.v2.Agent/GetManifest` (docs/protocol/rpc.md §3.2).
 */
export function rpcPath(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}
