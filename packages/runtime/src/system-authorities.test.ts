import { expect, it } from "vitest";

import type * as authorities from "./system-authorities.ts";
import { untrustedAuthorityHint } from "./system-authorities.ts";

function failure(code: string): Error {
  const cause = Object.assign(new Error("no"), { code });
  return new Error("cannot dial", { cause });
}

it("dials once more with the system's authorities, and not again once they are read", async () => {
  // Other tests of this process may have read them already.
  const fresh = new URL("./system-authorities.ts?fresh", import.meta.url).href;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same module once more
  const { withSystemAuthorities } = (await import(fresh)) as typeof authorities;
  let dials = 0;
  const fail = async (): Promise<never> => {
    dials += 1;
    throw failure("SELF_SIGNED_CERT_IN_CHAIN");
  };
  await expect(
    withSystemAuthorities(async () => {
      dials += 1;
      throw failure("ECONNREFUSED");
    }),
  ).rejects.toThrow("cannot dial");
  expect(dials).toBe(1);
  await expect(withSystemAuthorities(fail)).rejects.toThrow("cannot dial");
  expect(dials).toBe(3);
  await expect(withSystemAuthorities(fail)).rejects.toThrow("cannot dial");
  expect(dials).toBe(4);
});

it.each([
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", true],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", true],
  ["CERT_HAS_EXPIRED", false],
  ["ERR_TLS_CERT_ALTNAME_INVALID", false],
])("advises on authorities for %s: %s", (code, isAdvised) => {
  expect(untrustedAuthorityHint(failure(code)) !== undefined).toBe(isAdvised);
});
