import { isAbsolute } from "node:path";

import { unstorableField } from "@slipway/server/testing";
import { readTemplateArchive } from "@slipway/template";
import { maxDefinitionBytes, maxReadmeBytes } from "@slipway/template/testing";
import { pack } from "tar-stream";

import { expectSame, expectThat } from "../expectations.ts";
import { type FuzzTarget, utf8 } from "../target.ts";

/** The tar of a template that a user uploads. */
export const archivesTarget: FuzzTarget = {
  name: "archives",
  maxBytes: 64 * 1024,
  maxMs: 300,
  words: [
    "slipway.yaml",
    "README.md",
    "../",
    "./",
    "\0",
    "0000777\0",
    "00000000010\0",
    "ustar\0",
    "30 mtime=1\n",
    "20 path=a\n",
  ],
  seeds: async () => [
    await tarOf({
      "slipway.yaml": "driver: process\n",
      "README.md": "# it\n",
      "lib/a.sh": "echo\n",
    }),
    await tarOf({ "box/slipway.yml": "driver: process\n" }),
    await tarOf({ [`${"long/".repeat(30)}slipway.yaml`]: "x" }),
    utf8("not a tar"),
  ],
  check: async (input) => {
    // Each header's checksum is corrected; otherwise no mutation would be accepted.
    const result = await readTemplateArchive(withChecksums(input));
    expectSame(
      "the field that cannot be stored",
      unstorableField({ ...result, definitionText: "" }),
      undefined,
    );
    if ("problem" in result) {
      return expectThat(
        result.problem.length > 0 && result.problem.length < 1_000,
        "a message is bounded",
      );
    }
    expectThat(result.readme.length <= maxReadmeBytes, "a read-me is bounded");
    if ("configurationFolder" in result) {
      return expectThat(!isAbsolute(result.configurationFolder), "a folder is relative");
    }
    expectThat(result.definitionText.length <= maxDefinitionBytes, "a definition is bounded");
    expectThat(!isAbsolute(result.definitionPath), "a path is relative");
  },
};

async function tarOf(files: Readonly<Record<string, string>>): Promise<Uint8Array> {
  const archive = pack();
  for (const [name, body] of Object.entries(files)) archive.entry({ name }, body);
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

const blockBytes = 512;
const checksumAt = 148;

/** Sets the checksum of each block that could be a header, recognized by `ustar`. */
function withChecksums(input: Uint8Array): Uint8Array {
  const tar = input.slice();
  for (let at = 0; at + blockBytes <= tar.length; at += blockBytes) {
    const block = tar.subarray(at, at + blockBytes);
    if (block[257] !== 0x75) continue;
    block.fill(0x20, checksumAt, checksumAt + 8);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.set(utf8(`${sum.toString(8).padStart(6, "0")}\0 `), checksumAt);
  }
  return tar;
}
