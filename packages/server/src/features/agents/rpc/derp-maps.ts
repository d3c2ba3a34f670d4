import { whenAborted } from "@slipway/runtime";
import type { DERPMapSchema, MessageInitShape } from "@slipway/wire";

/**
 * The empty map: there is no relay yet. `homeParams` must be present, or a stock peer crashes
 * (docs/protocol/rpc.md §6.1).
 */
export const derpMap: MessageInitShape<typeof DERPMapSchema> = { homeParams: {}, regions: {} };

/** Yields the map at once and keeps the stream open, because its end would make the agent reconnect. */
export async function* streamDerpMaps(
  signal: AbortSignal,
): AsyncGenerator<MessageInitShape<typeof DERPMapSchema>, void, undefined> {
  yield derpMap;
  await whenAborted(signal);
}
