import type { DescMethod } from "@bufbuild/protobuf";

/** What an Invoke names a method by, such as `/coder.agent.v2.Agent/GetManifest` (docs/protocol/rpc.md §3.2). */
export function rpcPath(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}
