import { whenAborted } from "@slipway/runtime";
import type { DERPMapSchema, MessageInitShape } from "@slipway/wire";

/** There is no relay yet. `homeParams` must be present, or a stock peer crashes (docs/protocol/rpc.md §6.1). */
export const derpMap: MessageInitShape<typeof DERPMapSchema> = { homeParams: {}, regions: {} };

/** The map at once; then the stream stays open, as its end would make the agent dial anew. */
export async function* streamDerpMaps(
  signal: AbortSignal,
): AsyncGenerator<MessageInitShape<typeof DERPMapSchema>, void, undefined> {
  yield derpMap;
  await whenAborted(signal);
}
