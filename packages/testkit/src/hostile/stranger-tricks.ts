import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

import { connectionTricks, webSocket } from "./connection-tricks.ts";
import {
  connectAsStranger,
  connectStrangers,
  noteResponses,
  writeAll,
} from "./stranger-connection.ts";
import type { Trick } from "./trick.ts";

/** The time a trick waits for answers. */
const forMs = 4_000;
const mebibyte = 1024 * 1024;

/** All attacks of people without an account, from many addresses. */
export const strangerTricks: readonly Trick[] = [
  {
    name: "20,000 requests in a row",
    run: async (target, play) => {
      const socket = await connectAsStranger(target);
      void writeAll(socket, get("/api/v2/buildinfo").repeat(20_000));
      await noteResponses(socket, play, { what: "a request in a row", forMs });
    },
  },
  {
    name: "requests in a row on 40 connections",
    run: async (target, play) => {
      const paths = ["/api/v2/buildinfo", "/", "/api/v2/users/me", "/nothing/here"];
      const sockets = await connectStrangers(target, 40);
      await Promise.all(
        sockets.map((socket, index) => {
          void writeAll(socket, get(paths[index % paths.length] ?? "/").repeat(3_000));
          return noteResponses(socket, play, { what: "a request in a row", forMs });
        }),
      );
    },
  },
  {
    name: "invalid requests in a row",
    run: async (target, play) => {
      const texts = [
        "GET http://[/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /%ff%zz HTTP/1.1\r\nHost: x\r\n\r\n",
        "BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
      ];
      const sockets = await connectStrangers(target, 40);
      await Promise.all(
        sockets.map((socket, index) => {
          void writeAll(socket, (texts[index % texts.length] ?? "").repeat(1_000));
          return noteResponses(socket, play, { what: "an invalid request", forMs });
        }),
      );
    },
  },
  {
    name: "large JSON without an account",
    run: async (target, play) => {
      const keys = Array.from({ length: 75_000 }, (_, index) => `"k${index}":1`).join(",");
      const bodies = [`{${keys}}`, `[${"1,".repeat(400_000)}1]`, `{"email":${"[".repeat(500_000)}`];
      const sockets = await connectStrangers(target, 12);
      await Promise.all(
        sockets.map((socket, index) => {
          void writeAll(socket, post("/api/v2/users/login", bodies[index % bodies.length] ?? ""));
          return noteResponses(socket, play, { what: "large JSON", forMs });
        }),
      );
    },
  },
  {
    name: "pages that cost more than their request",
    run: async (target, play) => {
      const pages = [
        "/metrics",
        "/api/v2/openapi.json",
        "/install.sh",
        "/",
        "/api/v2/deployment/stats",
      ];
      const requests = pages.map((page) => get(page));
      const hosts = Array.from({ length: 20 }, () =>
        get("/", `80--main--w--${randomUUID()}.apps.x`),
      );
      const sockets = await connectStrangers(target, 20);
      await Promise.all(
        sockets.map((socket) => {
          void writeAll(socket, [...requests, ...hosts].join("").repeat(20));
          return noteResponses(socket, play, { what: "a page", forMs });
        }),
      );
    },
  },
  {
    name: "endless WebSocket messages",
    run: async (target, play, signal) => {
      const sockets = await connectStrangers(target, 150);
      await Promise.all(
        sockets.map(async (socket) => {
          await writeAll(socket, webSocket("/derp", "Sec-WebSocket-Protocol: derp\r\n"));
          // A masked frame of 4 MiB whose last byte never arrives.
          const head = Buffer.from("82ff0000000000400000deadbeef", "hex");
          await Promise.race([writeAll(socket, head), pause(forMs)]);
          await Promise.race([writeAll(socket, Buffer.alloc(2 * mebibyte)), pause(forMs)]);
        }),
      );
      await pause(1_000, undefined, { signal });
      for (const socket of sockets) {
        play.note(!socket.destroyed);
        socket.destroy();
      }
    },
  },
  {
    name: "endless headers and bodies",
    run: async (target, play, signal) => {
      const sockets = await connectStrangers(target, 200);
      for (const [index, socket] of sockets.entries()) {
        const head = `POST /api/v2/users/login HTTP/1.1\r\nHost: x\r\n`;
        socket.write(index % 2 === 0 ? head : `${head}Content-Length: 100000\r\n\r\n{`);
      }
      for (let second = 0; second < 3; second += 1) {
        await pause(1_000, undefined, { signal });
        for (const [index, socket] of sockets.entries()) {
          socket.write(
            index % 2 === 0 ? `X-${second}: ${"y".repeat(2_000)}\r\n` : " ".repeat(2_000),
          );
        }
      }
      for (const socket of sockets) {
        play.note(!socket.destroyed);
        socket.destroy();
      }
    },
  },
  {
    name: "logins of unknown users",
    run: async (target, play) => {
      const sockets = await connectStrangers(target, 30);
      await Promise.all(
        sockets.map((socket) => {
          const email = `${randomUUID()}@example.com`;
          const body = JSON.stringify({ email, password: "correct-horse-battery-43" });
          void writeAll(socket, post("/api/v2/users/login", body).repeat(20));
          return noteResponses(socket, play, { what: "a log-in", forMs });
        }),
      );
    },
  },
  ...connectionTricks,
  {
    name: "garbage",
    run: async (target, play) => {
      const sockets = await connectStrangers(target, 100);
      await Promise.all(
        sockets.map((socket) => {
          void writeAll(socket, randomBytes(20_000));
          return noteResponses(socket, play, { what: "garbage", forMs });
        }),
      );
    },
  },
];

function get(path: string, host = "x"): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
}

function post(path: string, body: string): string {
  const length = Buffer.byteLength(body);
  return `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n${body}`;
}
