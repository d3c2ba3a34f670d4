import type { DescMethod } from "@bufbuild/protobuf";

/**
 * Returns the name of a method in an Invoke, such as `/coder.agent.v2.Agent/GetManifest` (docs/protocol/rpc.md §3.2).
 */
export function rpcPath(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}
