import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";

import { answerCalls, internetAddresses } from "@slipway/testkit/netlab";
import WebSocket from "ws";

import type { HttpCalls } from "./http-host.ts";
import { ports } from "./ports.ts";

/* An HTTP client on a host, for `openHttpHost`. */

const [host] = internetAddresses;

const calls: HttpCalls = {
  async get(path) {
    const asked = request({ host, port: ports.http, path }).end();
    const [response] = await once(asked, "response");
    return (await response.setEncoding("utf8").toArray()).join("");
  },
  async upgrade(protocol) {
    const socket = connect(ports.http, host);
    socket.write(
      `GET /derp HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`,
    );
    const [head] = await once(socket.setEncoding("utf8"), "data");
    socket.destroy();
    return Number(/^HTTP\/1.1 (\d+)/.exec(head)?.[1]);
  },
  async echo(text) {
    const socket = new WebSocket(`ws://${host}:${String(ports.http)}/derp`);
    await once(socket, "open");
    socket.send(text);
    const [answer] = await once(socket, "message");
    socket.terminate();
    return String(answer);
  },
};
answerCalls("ready", calls);
