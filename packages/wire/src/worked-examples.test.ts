import { expect, it } from "vitest";

import { encodeHex, parseHex } from "./bytes/hex.ts";
import { encodeUuid } from "./bytes/uuid.ts";
import { DrpcCaller } from "./drpc/caller.ts";
import { DrpcResponder } from "./drpc/responder.ts";
import { rpcPath } from "./protobuf/descriptors.ts";
import {
  Agent,
  UpdateStatsRequestSchema,
  UpdateStatsResponseSchema,
} from "./protobuf/gen/agent_pb.ts";
import {
  CoordinateRequestSchema,
  CoordinateResponse_PeerUpdate_Kind,
  CoordinateResponseSchema,
  DERPMapSchema,
  StreamDERPMapsRequestSchema,
  Tailnet,
} from "./protobuf/gen/tailnet_pb.ts";
import { encodeMessage, parseMessage } from "./protobuf/message.ts";
import { durationFromMs } from "./protobuf/time.ts";
import { YamuxSession } from "./yamux/session.ts";

/*
 * The conversations of docs/protocol/rpc.md §3.7 to §3.9, byte for byte, from our own state machines. Where a peer may
 * put several packets into one Data frame, output is taken where the example starts a new one.
 */

function hex(...parts: readonly string[]): string {
  return parts.join("").replaceAll(" ", "");
}

function output(session: YamuxSession): string {
  return encodeHex(session.takeOutput() ?? new Uint8Array(0));
}

function receive(session: YamuxSession, text: string): ReturnType<YamuxSession["receive"]> {
  return session.receive(parseHex(text), 0);
}

it("makes the unary call of section 3.7", () => {
  const session = new YamuxSession("client");
  const caller = new DrpcCaller();
  const stream = session.open(0);
  session.write(stream, caller.invoke(rpcPath(Agent.method.updateStats)));
  session.write(stream, caller.message(encodeMessage(UpdateStatsRequestSchema, {})));
  session.write(stream, caller.closeSend());
  expect(output(session)).toBe(
    hex(
      "00 01 0001 00000001 00000000",
      "00 00 0000 00000001 0000002d",
      "03 01 01 21 2f636f6465722e6167656e742e76322e4167656e742f5570646174655374617473",
      "05 01 02 00",
      "0d 01 03 00",
    ),
  );

  const [accepted, reply] = receive(
    session,
    hex("00 01 0002 00000001 00000000", "00 00 0000 00000001 00000008", "05 01 01 04 0a02081e"),
  );
  expect(accepted).toEqual({ type: "accepted", streamId: 1 });
  const bytes = reply?.type === "data" ? reply.bytes : new Uint8Array(0);
  const [message] = caller.receive(bytes);
  expect(message).toEqual({ type: "message", bytes: parseHex("0a02081e") });
  expect(parseMessage(UpdateStatsResponseSchema, parseHex("0a02081e")).reportInterval).toEqual(
    durationFromMs(30_000),
  );

  session.write(stream, caller.close());
  session.finish(stream);
  expect(output(session)).toBe(
    hex("00 00 0000 00000001 00000004", "0b 01 04 00", "00 01 0004 00000001 00000000"),
  );
  expect(receive(session, hex("00 01 0004 00000001 00000000"))).toEqual([
    { type: "finished", streamId: 1 },
    { type: "closed", streamId: 1 },
  ]);
});

it("answers the unary call of section 3.7", () => {
  const session = new YamuxSession("server");
  const responder = new DrpcResponder();
  const events = receive(
    session,
    hex(
      "00 01 0001 00000001 00000000",
      "00 00 0000 00000001 0000002d",
      "03 01 01 21 2f636f6465722e6167656e742e76322e4167656e742f5570646174655374617473",
      "05 01 02 00",
      "0d 01 03 00",
    ),
  );
  expect(events.map((event) => event.type)).toEqual(["opened", "data"]);
  expect(output(session)).toBe(hex("00 01 0002 00000001 00000000"));
  const called = events.flatMap((event) =>
    event.type === "data" ? responder.receive(event.bytes) : [],
  );
  expect(called).toEqual([
    { type: "invoke", path: "/coder.agent.v2.Agent/UpdateStats", metadata: new Map() },
    { type: "message", bytes: new Uint8Array(0) },
    { type: "close-send" },
  ]);

  const reply = { reportInterval: durationFromMs(30_000) };
  session.write(1, responder.message(encodeMessage(UpdateStatsResponseSchema, reply)));
  expect(output(session)).toBe(hex("00 00 0000 00000001 00000008", "05 01 01 04 0a02081e"));
  session.write(1, responder.closeSend());
  expect(output(session)).toBe(hex("00 00 0000 00000001 00000004", "0d 01 02 00"));

  receive(
    session,
    hex("00 00 0000 00000001 00000004", "0b 01 04 00", "00 01 0004 00000001 00000000"),
  );
  session.finish(1);
  expect(output(session)).toBe(hex("00 01 0004 00000001 00000000"));
  expect(session.takeEvents()).toEqual([{ type: "closed", streamId: 1 }]);
});

it("streams the map of section 3.8", () => {
  const caller = new DrpcCaller();
  expect(
    encodeHex(caller.invoke(rpcPath(Tailnet.method.streamDERPMaps))) +
      encodeHex(caller.message(encodeMessage(StreamDERPMapsRequestSchema, {}))) +
      encodeHex(caller.closeSend()),
  ).toBe(
    hex(
      "03 01 01 28 2f636f6465722e7461696c6e65742e76322e5461696c6e65742f53747265616d444552504d617073",
      "05 01 02 00",
      "0d 01 03 00",
    ),
  );
  const map = encodeMessage(DERPMapSchema, {
    homeParams: {},
    regions: {
      999: {
        regionId: 999n,
        embeddedRelay: true,
        regionCode: "coder",
        nodes: [{ name: "999b", regionId: 999n, hostName: "c.test", derpPort: 443 }],
      },
    },
  });
  const responder = new DrpcResponder();
  responder.receive(parseHex(hex("03 01 01 02 2f78", "05 01 02 00", "0d 01 03 00")));
  expect(encodeHex(responder.message(map))).toBe(
    hex(
      "05 01 01 2b",
      "0a 00",
      "12 27 08 e707 12 22",
      "08 e707 10 01 1a 05 636f646572",
      "32 14 0a 04 39393962 10 e707 1a 06 632e74657374 48 bb03",
    ),
  );
  expect(encodeHex(responder.close())).toBe(hex("0b 01 02 00"));
  expect(encodeHex(caller.close())).toBe(hex("0b 01 04 00"));
});

it("coordinates as in section 3.9", () => {
  const id = encodeUuid("00112233-4455-6677-8899-aabbccddeeff");
  const caller = new DrpcCaller();
  const responder = new DrpcResponder();
  const first =
    encodeHex(caller.invoke(rpcPath(Tailnet.method.coordinate))) +
    encodeHex(caller.message(encodeMessage(CoordinateRequestSchema, { addTunnel: { id } })));
  expect(first).toBe(
    hex(
      "03 01 01 24 2f636f6465722e7461696c6e65742e76322e5461696c6e65742f436f6f7264696e617465",
      "05 01 02 14 1a12 0a10 00112233445566778899aabbccddeeff",
    ),
  );
  responder.receive(parseHex(first));
  const update = { id, kind: CoordinateResponse_PeerUpdate_Kind.READY_FOR_HANDSHAKE };
  const reply = responder.message(
    encodeMessage(CoordinateResponseSchema, { peerUpdates: [update] }),
  );
  expect(encodeHex(reply)).toBe(hex("05 01 01 16 0a14 0a10 00112233445566778899aabbccddeeff 1804"));
  const disconnect = caller.message(encodeMessage(CoordinateRequestSchema, { disconnect: {} }));
  expect(encodeHex(disconnect)).toBe(hex("05 01 03 02 1200"));
  expect(responder.receive(disconnect)).toEqual([{ type: "message", bytes: parseHex("1200") }]);
  expect(encodeHex(responder.close())).toBe(hex("0b 01 02 00"));
});
