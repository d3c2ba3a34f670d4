/** Parsers of outside bytes, for their fuzzing alone (`npm run fuzz:codecs`). */
export { readPeerNode } from "./coordination/peer-node.ts";
export { nodeUrl } from "./relay/derp-map.ts";
