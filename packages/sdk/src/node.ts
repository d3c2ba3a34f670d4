export {
  type CertificateFile,
  type CertificateFiles,
  ClientCertificateError,
  presentCertificateFiles,
} from "./node/client-certificate.ts";
export { createNodeSocket } from "./node/create-node-socket.ts";
export { ignoreAbsentAddress, PortForward } from "./node/port-forward.ts";
export type { ForwardedPort, PortForwardNeeds } from "./node/port-forward.ts";
export {
  parseHeaders,
  RequestHeaderError,
  type RequestHeaders,
  runHeaderCommand,
  splitHeaders,
} from "./node/request-headers.ts";
