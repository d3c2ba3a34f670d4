import { whenAborted } from "@slipway/runtime";
import { derpMapMessage } from "@slipway/tailnet";
import type { DERPMap } from "@slipway/wire";

import type { ReadDerpMap } from "../derp-map.ts";

/** Yields the map at once and keeps the stream open, because its end would make the agent reconnect. */
export async function* streamDerpMaps(
  readDerpMap: ReadDerpMap,
  signal: AbortSignal,
): AsyncGenerator<DERPMap, void, undefined> {
  yield derpMapMessage(readDerpMap());
  await whenAborted(signal);
}
