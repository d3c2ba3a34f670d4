import { Type } from "typebox";

import { type Infer } from "../contract/scalars.ts";

const DerpNode = Type.Object({
  Name: Type.String(),
  RegionID: Type.Integer(),
  HostName: Type.String(),
  CertName: Type.Optional(Type.String()),
  IPv4: Type.Optional(Type.String()),
  IPv6: Type.Optional(Type.String()),
  STUNPort: Type.Optional(Type.Integer()),
  STUNOnly: Type.Optional(Type.Boolean()),
  DERPPort: Type.Optional(Type.Integer()),
  InsecureForTests: Type.Optional(Type.Boolean()),
  ForceHTTP: Type.Optional(Type.Boolean()),
  STUNTestIP: Type.Optional(Type.String()),
  CanPort80: Type.Optional(Type.Boolean()),
});

/** The relays, by the number of their region; the keys are those of the wire format (docs/protocol/rest.md §6.7). */
export const DerpMap = Type.Object({
  HomeParams: Type.Optional(
    Type.Object({ RegionScore: Type.Optional(Type.Record(Type.String(), Type.Number())) }),
  ),
  omitDefaultRegions: Type.Optional(Type.Boolean()),
  Regions: Type.Record(
    Type.String(),
    Type.Object({
      EmbeddedRelay: Type.Boolean(),
      RegionID: Type.Integer(),
      RegionCode: Type.String(),
      RegionName: Type.String(),
      Avoid: Type.Optional(Type.Boolean()),
      Nodes: Type.Array(DerpNode),
    }),
  ),
});
export type DerpMap = Infer<typeof DerpMap>;
