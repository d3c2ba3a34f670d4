export { createNodeSocket } from "./node/create-node-socket.ts";
export {
  parseHeaders,
  RequestHeaderError,
  type RequestHeaders,
  runHeaderCommand,
  splitHeaders,
} from "./node/request-headers.ts";
