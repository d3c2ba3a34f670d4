/**
 * Cloud providers for tests: their keys and certificates, and the identities of their machines (docs/protocol/rest.md
 * §3).
 */
export {
  type CertificateParts,
  issue,
  type IssuedCertificate,
  makeKeys,
  type MessageParts,
  signMessage,
} from "./clouds/authority.ts";
export { type Body, type Clouds, openClouds } from "./clouds/cloud-machines.ts";
export { openMachine } from "./clouds/machine.ts";
