import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { issue } from "@slipway/testkit/clouds";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { problemsOf } from "../../../tests/support/settings-problems.ts";
import { readSettings } from "./settings.ts";

describe("readSettings", () => {
  describe("reads certificates", () => {
    let directory: string;
    let pem: string;

    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), "slipway-settings-"));
      ({ pem } = await issue({ name: "Signer" }));
    });

    afterAll(() => rmSync(directory, { recursive: true }));

    function write(name: string, text: string): string {
      writeFileSync(join(directory, name), text);
      return join(directory, name);
    }

    it("of files", () => {
      const SLIPWAY_AWS_CERTIFICATES = write(
        "two.pem",
        `# two\n${pem}${pem.replaceAll("\n", "\r\n")}`,
      );
      const SLIPWAY_AZURE_CERTIFICATES = write("one.pem", pem);
      const { identity } = readSettings(
        { SLIPWAY_AWS_CERTIFICATES, SLIPWAY_AZURE_CERTIFICATES },
        false,
      );
      expect(identity.awsCertificates.map(({ subject }) => subject)).toEqual([
        "CN=Signer",
        "CN=Signer",
      ]);
      expect(identity.azureCertificates.map(({ subject }) => subject)).toEqual(["CN=Signer"]);
    });

    it("and says at once what is wrong with the files", () => {
      const SLIPWAY_AWS_CERTIFICATES = write("none.pem", "-----BEGIN CERTIFICATE-----\nMIIB");
      const SLIPWAY_AZURE_CERTIFICATES = join(directory, "missing.pem");
      expect(problemsOf({ SLIPWAY_AWS_CERTIFICATES, SLIPWAY_AZURE_CERTIFICATES })).toEqual([
        `SLIPWAY_AWS_CERTIFICATES must be a file of certificates in PEM (holds no certificate), found "${SLIPWAY_AWS_CERTIFICATES}"`,
        expect.stringMatching(
          /^SLIPWAY_AZURE_CERTIFICATES must be a file of certificates in PEM \(ENOENT: .*\), found ".*missing.pem"$/,
        ),
      ]);
    });

    it.each([
      ["that are none", (good: string) => good.replace(/\n.{9}/, "\nAAAAAAAAA"), "asn1|ASN1"],
      ["that are too many", (good: string) => good.repeat(3_000), "has more than 1048576 bytes"],
      ["that are nothing", () => "", "holds no certificate"],
    ])("but not those %s", (_, change, problem) => {
      const SLIPWAY_AWS_CERTIFICATES = write("bad.pem", change(pem));
      expect(problemsOf({ SLIPWAY_AWS_CERTIFICATES })).toEqual([expect.stringMatching(problem)]);
    });
  });
});
