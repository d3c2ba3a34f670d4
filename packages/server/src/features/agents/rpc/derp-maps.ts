import { whenAborted } from "@slipway/runtime";
import type { DERPMapSchema, MessageInitShape } from "@slipway/wire";

import { derpMapMessage, type ReadDerpMap } from "../derp-map.ts";

/** Yields the map at once and keeps the stream open, because its end would make the agent reconnect. */
export async function* streamDerpMaps(
  readDerpMap: ReadDerpMap,
  signal: AbortSignal,
): AsyncGenerator<MessageInitShape<typeof DERPMapSchema>, void, undefined> {
  yield derpMapMessage(readDerpMap());
  await whenAborted(signal);
}
