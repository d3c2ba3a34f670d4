export { createNodeSocket } from "./node/create-node-socket.ts";
