import { templateFileName } from "../template-file.ts";

const position = new RegExp(
  `^(\\s*)(?:\\./)?${templateFileName.replaceAll(".", "\\.")}(?=:\\d+)`,
  "gm",
);

/** Problems name the file inside the tar; a person, and their editor, know it by its path: `box/slipway.yaml:12:5: …`. */
export function withPath(text: string, templatePath: string): string {
  return text.replaceAll(position, (_match, indent: string) => `${indent}${templatePath}`);
}
