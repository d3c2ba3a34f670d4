export { loadNativeCrypto } from "./node/native-crypto.ts";
