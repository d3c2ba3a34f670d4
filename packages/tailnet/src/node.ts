export { loadNativeCrypto } from "./node/native-crypto.ts";
export { toDuplex } from "./node/duplex.ts";
