import { expect, it } from "vitest";

import { createGitKey, encodeGitKey } from "./git-key.ts";

/** A key pair made by a stock server; the server and its key no longer exist. */
const recordedPublic =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBkKg2KTic9SFgdLih0hCvNfB90TccDFTOCox4M5tkbv\n";
const recordedPrivate = `-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtz
c2gtZWQyNTUxOQAAACAZCoNik4nPUhYHS4odIQrzXwfdE3HAxUzgqMeDObZG7wAA
AIjTGJFJ0xiRSQAAAAtzc2gtZWQyNTUxOQAAACAZCoNik4nPUhYHS4odIQrzXwfd
E3HAxUzgqMeDObZG7wAAAEAPcm/CCEE0thy6TBboEv+kv3IBH7SNqso+rwYhLdVT
ABkKg2KTic9SFgdLih0hCvNfB90TccDFTOCox4M5tkbvAAAAAAECAwQF
-----END OPENSSH PRIVATE KEY-----
`;

function bytesOf(pem: string): Buffer {
  return Buffer.from(pem.replaceAll(/-----[A-Z ]+-----|\n/g, ""), "base64");
}

it("writes a key pair as a stock server does", () => {
  const bytes = bytesOf(recordedPrivate);
  const point = Buffer.from(recordedPublic.split(" ")[1] ?? "", "base64").subarray(-32);
  const checkAt = bytes.indexOf(point) + 32 + 4;
  const seedAt = bytes.lastIndexOf(point) - 32;
  const check = bytes.subarray(checkAt, checkAt + 4);
  expect(encodeGitKey(bytes.subarray(seedAt, seedAt + 32), point, check)).toEqual({
    publicKey: recordedPublic,
    privateKey: recordedPrivate,
  });
});

it("makes another key each time", () => {
  const [one, other] = [createGitKey(), createGitKey()];
  expect(one.publicKey).not.toBe(other.publicKey);
  expect(bytesOf(one.privateKey)).toHaveLength(bytesOf(recordedPrivate).length);
});
