export { slipway } from "./provider.ts";
export type { SlipwayConfig } from "./provider.ts";
