import {
  AllowedMethods,
  cleanMessage,
  findAnswer,
  findToken,
  maxMessageBytes,
  negotiateVersion,
  parseAuditSearch,
  parseSearch,
  parseSessionToken,
  parseTemplateSearch,
  parseUserSearch,
  readAddress,
  readLogRange,
  readPage,
  requireUuid,
  sessionCookie,
} from "@slipway/server/testing";

import { expectThat } from "../expectations.ts";
import { type FuzzTarget, textOf, utf8 } from "../target.ts";

const methods = new AllowedMethods();
methods.add("GET", "/api/v2/users/:user/workspace/:name");

/** Readers that each parse one part of a request and reject it with a `Refusal`. */
const readers: readonly ((text: string) => unknown)[] = [
  (text) => readPage({ limit: text, offset: text }),
  (text) => readLogRange({ after: text, before: text }),
  (text) => requireUuid(text),
  parseSearch,
  parseAuditSearch,
  parseUserSearch,
  parseTemplateSearch,
  negotiateVersion,
  readAddress,
  parseSessionToken,
  (text) =>
    findToken(
      { headers: { cookie: text, host: text, "user-agent": text }, raw: { url: text } },
      false,
    ),
  (text) => methods.of(text),
  (text) => cleanMessage(text.slice(0, maxMessageBytes)),
];

/** Query parameters, headers and paths: every reader on every text. */
export const requestsTarget: FuzzTarget = {
  name: "requests",
  maxBytes: 8 * 1024,
  maxMs: 100,
  words: [
    ..."owner: name: template: status: id: has_agent: healthy: dormant: outdated: favorite:".split(
      " ",
    ),
    ..."last_used_before: last_used_after: param: organization: action: date_from: date_to:".split(
      " ",
    ),
    ..."running connected me true false role: search: exact_name: deprecated: urn:uuid: :".split(
      " ",
    ),
    "00000000-0000-0000-0000-000000000000",
    "2026-01-02T03:04:05Z",
    `${sessionCookie}=`,
    '"',
    ", ",
    "; ",
    "\u0130",
  ],
  seeds: () =>
    [
      'owner:me status:running name:"my box" param:size=2',
      "id:01234567-89ab-cdef-0123-456789abcdef last_used_before:2026-01-02T03:04:05Z",
      "action:create resource_type:workspace date_from:2026-01-02 username:a",
      "ann status:active role:owner",
      'exact_name:"docker" deprecated:true',
      "urn:uuid:01234567-89ab-cdef-0123-456789abcdef",
      "2.10",
      "25",
      "/api/v2/users/me/workspace/a",
      `a=b; ${sessionCookie}=0123456789-0123456789012345678901`,
      "fe80::1%eth0",
      "<b>done</b> \u001b[31mred",
    ].map(utf8),
  check: (input) => {
    const text = textOf(input);
    for (const read of readers) checkReader(read, text);
  },
};

function checkReader(read: (text: string) => unknown, text: string): void {
  try {
    read(text);
  } catch (error) {
    const answer = findAnswer(error);
    if (answer === undefined) throw error;
    const { status, body } = answer;
    expectThat(status >= 400 && status < 500, `the status ${status} is a refusal`);
    expectThat(JSON.stringify(body).length <= text.length * 16 + 2_000, "an answer is bounded");
  }
}
